/** A size of a model that is known only when it runs, such as that of a batch: what stands for it in shapes, and how it is read. */

import { invariant } from "../../../graph/index.js";
import { int, type Size } from "./fields.js";
import type { NodeList } from "./node-list.js";

/** That of the first axis of `input`. */
export interface OpenSize {
  /** What stands for it in shapes: a prime, greater than every size that is known. Its multiples stand for multiples. */
  readonly standIn: number;
  readonly name: string;
  readonly input: string;
}

export interface Sizing {
  /** Whether a size is known only when the model runs. */
  isOpen(size: number): boolean;
  /** Sizes as a tensor, int64 [n]. */
  sizes(values: readonly number[]): string;
  /** A shape as an input or an output tells it. */
  shown(shape: readonly number[]): readonly Size[];
}

/** `whole`: numbers as a constant, int64 [n]. */
export function sizing(
  open: OpenSize | undefined,
  op: NodeList["op"],
  whole: (values: readonly number[]) => string,
): Sizing {
  const isOpen = (size: number): boolean => open !== undefined && size > 0 && size % open.standIn === 0;
  /** The open size as a tensor, once. */
  let measured: string | null = null;
  const times = (size: number): string => {
    invariant(open, "a size is open where the model has one");
    measured ??= op("Shape", [open.input], { start: int(0), end: int(1) });
    return size === open.standIn ? measured : op("Mul", [measured, whole([size / open.standIn])]);
  };
  return {
    isOpen,
    sizes(values) {
      if (!values.some(isOpen)) return whole(values);
      const parts = values.map((size) => (isOpen(size) ? times(size) : whole([size])));
      return parts.length === 1 ? (parts[0] as string) : op("Concat", parts, { axis: int(0) });
    },
    shown: (shape) => shape.map((size) => (!isOpen(size) ? size : size === open?.standIn ? open.name : null)),
  };
}

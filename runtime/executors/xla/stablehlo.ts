/**
 * Text of StableHLO, statement by statement: values with their types, and the operations of its set that others are made of. What a graph's operations become
 * is said in `lowering.ts`.
 */

import type { Precision } from "../../../blocks/index.js";
import { type DType, invariant, type TypedArray } from "../../../graph/index.js";

/** A value of the program. */
export interface Value {
  /** `%12` */
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: DType;
}

const typeNames: Readonly<Record<DType, string>> = { float32: "f32", int32: "i32", bool: "i1" };

/** `tensor<2x3xf32>` */
export const typeOf = ({ shape, dtype }: Pick<Value, "shape" | "dtype">): string =>
  `tensor<${shape.map((size) => `${size}x`).join("")}${typeNames[dtype]}>`;

/** A float to the bit, as the text has it. */
function floatText(value: number): string {
  const view = new DataView(new ArrayBuffer(4));
  view.setFloat32(0, value);
  return `0x${view.getUint32(0).toString(16).toUpperCase().padStart(8, "0")}`;
}

const literal = (value: number, dtype: DType): string =>
  dtype === "float32" ? floatText(value) : dtype === "bool" ? (value ? "true" : "false") : String(value);

export type Folding = "add" | "maximum" | "minimum";

const leastInt = -(2 ** 31);
const neutral: { readonly [F in Folding]: Readonly<Record<"float32" | "int32", number>> } = {
  add: { float32: 0, int32: 0 },
  maximum: { float32: Number.NEGATIVE_INFINITY, int32: leastInt },
  minimum: { float32: Number.POSITIVE_INFINITY, int32: -(leastInt + 1) },
};

/** Axes over which a product runs, and those that both sides have. */
export interface DotAxes {
  readonly contract: readonly [a: readonly number[], b: readonly number[]];
  readonly batch?: readonly [a: readonly number[], b: readonly number[]];
}

export type Emitter = ReturnType<typeof createEmitter>;

/** A value as an operand of a product. */
export interface Factor {
  readonly name: string;
  /** `tensor<2x3xbf16>` */
  readonly type: string;
}

/**
 * Collects statements. Shapes are broadcast as NumPy does where two values meet.
 * @param precision what factors of products are rounded to
 * @param one a float32 that is 1 in every run, which the compiler cannot know
 */
export function createEmitter(precision: Precision, one?: Value) {
  const lines: string[] = [];
  const scalars = new Map<string, Value>();
  let next = 0;

  /** `text` without the name of its result; of several `results`, they are called `name#0` and so on. */
  const emit = (text: string, form: Pick<Value, "shape" | "dtype">, results = 1): Value => {
    const name = `%${next++}`;
    lines.push(`${name}${results > 1 ? `:${results}` : ""} = ${text}`);
    return { name, shape: form.shape, dtype: form.dtype };
  };

  /** What a product multiplies: sums of products are float32 whatever this is. */
  const factor = (x: Value): Factor => {
    const type = typeOf(x);
    if (precision === "float32") return { name: x.name, type };
    const rounded = type.replace(/f32>$/, "bf16>");
    return { name: emit(`stablehlo.convert ${x.name} : (${type}) -> ${rounded}`, x).name, type: rounded };
  };
  /** An operation whose result has its operands' type. */
  const plain = (operation: string, ...operands: readonly Value[]): Value => {
    const [first] = operands as [Value];
    return emit(`stablehlo.${operation} ${operands.map(({ name }) => name).join(", ")} : ${typeOf(first)}`, first);
  };
  const filled = (value: number, shape: readonly number[], dtype: DType): Value => {
    const text = `stablehlo.constant dense<${literal(value, dtype)}> : ${typeOf({ shape, dtype })}`;
    const known = scalars.get(text) ?? emit(text, { shape, dtype });
    scalars.set(text, known);
    return known;
  };
  const scalar = (value: number, dtype: DType = "float32"): Value => filled(value, [], dtype);
  const constant = (data: TypedArray, shape: readonly number[], dtype: DType): Value => {
    if (data.length === 1) return filled(Number(data[0]), shape, dtype);
    if (dtype === "bool")
      return emit(
        `stablehlo.constant dense<${nested(
          [...data].map((one) => literal(one, dtype)),
          shape,
        )}> : ${typeOf({ shape, dtype })}`,
        { shape, dtype },
      );
    const typed = dtype === "float32" ? Float32Array.from(data) : Int32Array.from(data);
    const bytes = Buffer.from(typed.buffer).toString("hex").toUpperCase();
    return emit(`stablehlo.constant dense<"0x${bytes}"> : ${typeOf({ shape, dtype })}`, { shape, dtype });
  };
  /** `axes`: where those of x are in the shape; if absent, at its end. */
  const broadcast = (x: Value, shape: readonly number[], axes?: readonly number[]): Value => {
    if (isSame(x.shape, shape)) return x;
    const places = axes ?? x.shape.map((_, i) => shape.length - x.shape.length + i);
    const form = { shape, dtype: x.dtype };
    return emit(
      `stablehlo.broadcast_in_dim ${x.name}, dims = [${places.join(", ")}] : (${typeOf(x)}) -> ${typeOf(form)}`,
      form,
    );
  };
  const together = (...values: readonly Value[]): readonly Value[] => {
    const shape = values.reduce<readonly number[]>((all, value) => joinedShape(all, value.shape), []);
    return values.map((value) => broadcast(value, shape));
  };
  const elementwise = (operation: string, a: Value, b: Value): Value => plain(operation, ...together(a, b));
  const reshape = (x: Value, shape: readonly number[]): Value =>
    isSame(x.shape, shape)
      ? x
      : emit(`stablehlo.reshape ${x.name} : (${typeOf(x)}) -> ${typeOf({ shape, dtype: x.dtype })}`, {
          shape,
          dtype: x.dtype,
        });
  const compare = (direction: "LT" | "LE" | "EQ" | "NE", x: Value, y: Value): Value => {
    const [a, b] = together(x, y) as [Value, Value];
    const kind = a.dtype === "float32" ? "FLOAT" : a.dtype === "bool" ? "UNSIGNED" : "SIGNED";
    const form = { shape: a.shape, dtype: "bool" as const };
    return emit(
      `stablehlo.compare ${direction}, ${a.name}, ${b.name}, ${kind} : (${typeOf(a)}, ${typeOf(b)}) -> ${typeOf(form)}`,
      form,
    );
  };
  const select = (condition: Value, x: Value, y: Value): Value => {
    const [c, a, b] = together(condition, x, y) as [Value, Value, Value];
    return emit(`stablehlo.select ${c.name}, ${a.name}, ${b.name} : ${typeOf(c)}, ${typeOf(a)}`, a);
  };
  const slice = (x: Value, begin: readonly number[], size: readonly number[]): Value => {
    const form = { shape: size, dtype: x.dtype };
    const ranges = begin.map((from, axis) => `${from}:${from + (size[axis] as number)}`).join(", ");
    return emit(`stablehlo.slice ${x.name} [${ranges}] : (${typeOf(x)}) -> ${typeOf(form)}`, form);
  };
  const convert = (x: Value, dtype: DType): Value => {
    const form = { shape: x.shape, dtype };
    return x.dtype === dtype ? x : emit(`stablehlo.convert ${x.name} : (${typeOf(x)}) -> ${typeOf(form)}`, form);
  };
  return {
    emit,
    plain,
    scalar,
    filled,
    constant,
    broadcast,
    together,
    elementwise,
    reshape,
    /** Of the CHLO set, which a compiler takes beside StableHLO. */
    erf: (x: Value): Value => emit(`chlo.erf ${x.name} : ${typeOf(x)} -> ${typeOf(x)}`, x),
    transpose(x: Value, permutation: readonly number[]): Value {
      const form = { shape: permutation.map((axis) => x.shape[axis] as number), dtype: x.dtype };
      return emit(
        `stablehlo.transpose ${x.name}, dims = [${permutation.join(", ")}] : (${typeOf(x)}) -> ${typeOf(form)}`,
        form,
      );
    },
    convert,
    compare,
    select,
    slice,
    fold(folding: Folding, x: Value, axes: readonly number[], keep = false): Value {
      if (axes.length === 0) return x;
      const start = scalar(neutral[folding][x.dtype === "int32" ? "int32" : "float32"], x.dtype);
      const shape = x.shape.filter((_, axis) => !axes.includes(axis));
      const form = { shape, dtype: x.dtype };
      const folded = emit(
        `stablehlo.reduce(${x.name} init: ${start.name}) applies stablehlo.${folding} across dimensions = [${axes.join(", ")}] : (${typeOf(x)}, ${typeOf(start)}) -> ${typeOf(form)}`,
        form,
      );
      return keep
        ? reshape(
            folded,
            x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)),
          )
        : folded;
    },
    /** Equal to x, but another value to the compiler, which depends on `after`: what is computed from it is computed again, and after that. */
    again(x: Value, after: Value): Value {
      invariant(one !== undefined, "a program with a barrier is given a one");
      const first = slice(
        after,
        after.shape.map(() => 0),
        after.shape.map(() => 1),
      );
      const isOther = compare("NE", one, scalar(1));
      const factor = select(isOther, convert(reshape(first, []), "float32"), one);
      return elementwise("multiply", x, convert(factor, x.dtype));
    },
    factor,
    dot(a: Value, b: Value, { contract, batch = [[], []] }: DotAxes): Value {
      const free = (x: Value, side: 0 | 1): readonly number[] =>
        x.shape.filter((_, axis) => !batch[side].includes(axis) && !contract[side].includes(axis));
      const shape = [...batch[0].map((axis) => a.shape[axis] as number), ...free(a, 0), ...free(b, 1)];
      const batching =
        batch[0].length > 0 ? `batching_dims = [${batch[0].join(", ")}] x [${batch[1].join(", ")}], ` : "";
      const form = { shape, dtype: "float32" as const };
      const [left, right] = [factor(a), factor(b)];
      return emit(
        `stablehlo.dot_general ${left.name}, ${right.name}, ${batching}contracting_dims = [${contract[0].join(", ")}] x [${contract[1].join(", ")}] : (${left.type}, ${right.type}) -> ${typeOf(form)}`,
        form,
      );
    },
    /** The statements as the body of a function. */
    text: (): string => lines.map((line) => `    ${line}\n`).join(""),
  };
}

const isSame = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, axis) => size === b[axis]);

function joinedShape(a: readonly number[], b: readonly number[]): readonly number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, axis) => {
    const [x, y] = [a[a.length - rank + axis] ?? 1, b[b.length - rank + axis] ?? 1];
    return x === 1 ? y : x;
  });
}

/** `[[a, b], [c, d]]` */
function nested(flat: readonly string[], shape: readonly number[]): string {
  const [count = 1, ...rest] = shape;
  if (rest.length === 0) return `[${flat.join(", ")}]`;
  const size = flat.length / count;
  return `[${Array.from({ length: count }, (_, i) => nested(flat.slice(i * size, (i + 1) * size), rest)).join(", ")}]`;
}

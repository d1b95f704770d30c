/**
 * Batch fields: numbers of a sample that a block computes on the host, beside the array, where data is prepared. A pure
 * function of the sample and a random stream, so that a field is the same wherever and whenever it is computed.
 */

import type { Random, TypedArray } from "../graph/index.js";
import type { ArrayShape } from "./arrays.js";
import type { Label } from "./dataset/contract.js";
import type { ImageObject } from "./detection/objects.js";
import type { Params } from "./params.js";
import type { Lattice } from "./sets.js";

/** What is known of the model where a field is computed. */
export interface FieldContext {
  readonly array: ArrayShape;
  readonly grid: Lattice;
}

/** One sample of training. */
export interface FieldSample {
  /** The array of the field's context, [...axes, C]: as the model sees it, but not normalised; of pictures in 0..1. */
  readonly array: Float32Array;
  /** Class of the sample, or all that it has; null: none is known. */
  readonly label: Label | null;
  /** The number that the data have of it; if absent, none. */
  readonly value?: number;
  /** A stream of this sample in this epoch, and of this field. */
  readonly random: Random;
  /**
   * Where the field asks for a file beside the image: its maps [H, W], cropped, resized and flipped as the image, by the nearest
   * pixel.
   */
  readonly beside?: readonly Int32Array[];
  /** Where the field asks for objects: those of the image, where it was cropped, resized and flipped to. */
  readonly objects?: readonly ImageObject[];
  /**
   * Where the field asks for a map: the class of each place of the array [...axes], cropped, resized and flipped as that is, by the nearest
   * place; below zero where a turn has brought in what was outside.
   */
  readonly map?: Int32Array;
  /** Where the field asks for values: the number of each place in the same way, NaN where none is known. */
  readonly measured?: Float32Array;
}

export interface Field {
  /** Of one sample: the batch axis comes before it. */
  readonly shape: readonly number[];
  readonly dtype: "float32" | "int32";
  /** Of a mask: the graph is fed it too; that of any other mask serves the host alone. */
  readonly fed?: true;
  /**
   * A folder with a file for each image of the data, at the same path within it but for its ending: whole numbers for each pixel,
   * in a grey PNG file [H, W], or in an npy file [H, W] or [maps, H, W]. If absent, the image is all that is needed.
   */
  readonly beside?: string;
  /** Whether it is computed of the objects in the image, which the data then have to name. */
  readonly objects?: true;
  /** Whether it is computed of the classes of the array's places, which the data then have to say. */
  readonly map?: true;
  /** Whether it is computed of the values of the array's places, which the data then have to say. */
  readonly measured?: true;
  /** -> as many numbers as `shape` has. */
  readonly compute: (sample: FieldSample) => TypedArray;
}

/** A field of a block with its values, and where it comes from: functions cannot be sent to a worker. */
export interface BoundField extends Field {
  readonly kind: "target" | "mask" | "head";
  readonly block: FieldBlock;
  readonly values: Readonly<Record<string, unknown>>;
  readonly context: FieldContext;
  /** The array that it is computed of, where a model reads several. */
  readonly input?: string;
}

/** A block that may ask for a field. */
export interface FieldBlock {
  readonly name: string;
  readonly params?: Params;
  /** If absent, it needs none. */
  field?(p: Readonly<Record<string, unknown>>, context: FieldContext): Field;
}

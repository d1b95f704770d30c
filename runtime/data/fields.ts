/** Fields of one sample, computed where it is prepared. */

import { resolve } from "node:path";
import { type BoundField, DataError, type FieldSample } from "../../blocks/index.js";
import { invariant, sizeOf, type TypedArray } from "../../graph/index.js";
import { fieldStream } from "../hash.js";
import { RunError } from "../run-error.js";
import type { Raster } from "./raster.js";

/** Numbers of fields, four bytes each. */
export type FieldArray = Float32Array | Int32Array;

/** By the names of the fields. */
export type FieldArrays = Readonly<Record<string, FieldArray>>;

/** `length` numbers in memory from number `start` on. */
export const viewOf = (
  dtype: BoundField["dtype"],
  memory: SharedArrayBuffer,
  start: number,
  length: number,
): FieldArray =>
  dtype === "int32" ? new Int32Array(memory, start * 4, length) : new Float32Array(memory, start * 4, length);

/** A sample whose fields are computed. */
interface FieldsOf {
  readonly epoch: number;
  readonly sample: number;
  /** Its class; null: it has none. */
  readonly label: number | null;
}

interface Fields {
  /** By name. */
  readonly fields: Readonly<Record<string, BoundField>>;
  readonly seed: number;
  /** Their folders are relative to it. */
  readonly root: string;
}

/**
 * Computes every field of a prepared sample into its place.
 * @param raster the sample as the model sees it, not normalised
 * @param beside what lies in a folder for this sample, brought to the same shape
 */
export async function computeFields(
  { epoch, sample, label }: FieldsOf,
  { fields, seed, root }: Fields,
  raster: Raster,
  out: FieldArrays,
  beside: (folder: string) => Promise<readonly Int32Array[]>,
): Promise<void> {
  const asked = Object.entries(fields);
  if (asked.length === 0) return;
  const image = inUnits(raster);
  for (const [name, field] of asked) {
    const random = fieldStream(seed, name, epoch, sample);
    const maps = field.beside === undefined ? {} : { beside: await beside(resolve(root, field.beside)) };
    const values = valuesOf(field, { image, label, random, ...maps });
    checkLength(name, field, values.length);
    (out[name] as FieldArray).set(values);
  }
}

/** The field's numbers; a block's complaint is of the data. */
function valuesOf({ compute }: BoundField, sample: FieldSample): TypedArray {
  try {
    return compute(sample);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RunError("run/data", { what: error.what, help: error.help }, { cause: error });
  }
}

function checkLength(name: string, { block, shape }: BoundField, length: number): void {
  invariant(length === sizeOf(shape), `${block.name} computes ${length} numbers for ${name} [${shape.join(", ")}]`);
}

/** Floats in 0..1. */
function inUnits({ pixels }: Raster): Float32Array {
  if (pixels instanceof Float32Array) return pixels;
  const result = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++) result[i] = (pixels[i] as number) * (1 / 255);
  return result;
}

/** Fields of one sample, computed where it is prepared. */

import { resolve } from "node:path";
import { type BoundField, DataError, type FieldSample, type ImageObject, type Label } from "../../blocks/index.js";
import { invariant, sizeOf, type TypedArray } from "../../graph/index.js";
import { fieldStream } from "../hash.js";
import { RunError } from "../run-error.js";
import type { NumbersOf } from "./image/beside.js";
import type { FieldArray, FieldArrays, Numbers, OtherItem } from "./preparation.js";

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
  /** Its class, or all that it has; null: none is known. */
  readonly label: Label | null;
  /** Its number; if absent, it has none. */
  readonly value?: number;
}

/** What belongs to a sample beside its array. */
export interface BesideSample {
  /** The maps of the file that belongs to it in a folder. */
  readonly beside: (folder: string) => Promise<readonly Int32Array[]>;
  /** The objects in it. Throws `run/data` where the data name none. */
  readonly objects: () => readonly ImageObject[];
  /** The number of each place of its array, NaN where none is known. Throws `run/data` where the data have none, or no such. */
  readonly map: (of: NumbersOf) => Promise<Float32Array>;
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
 * @param numbers the sample's array as the model sees it, not normalised
 * @param beside what lies in a folder for this sample, brought to the same shape
 * @param objects those in the image, brought to the same place
 */
export async function computeFields(
  { epoch, sample, label, value }: FieldsOf,
  { fields, seed, root }: Fields,
  numbers: Numbers,
  out: FieldArrays,
  { beside, objects, map }: BesideSample,
): Promise<void> {
  const asked = Object.entries(fields);
  if (asked.length === 0) return;
  const array = inUnits(numbers);
  const told = { label, ...(value === undefined ? {} : { value }) };
  for (const [name, field] of asked) {
    const random = fieldStream(seed, name, epoch, sample);
    const maps = field.beside === undefined ? {} : { beside: await beside(resolve(root, field.beside)) };
    const named = field.objects ? { objects: objects() } : {};
    const placed = field.map ? { map: classesOf(await map("classes")) } : {};
    const measured = field.measured ? { measured: await map("values") } : {};
    const values = valuesOf(field, { array, ...told, random, ...maps, ...named, ...placed, ...measured });
    checkLength(name, field, values.length);
    (out[name] as FieldArray).set(values);
  }
}

/** Below zero, where none is known. */
const classesOf = (map: Float32Array): Int32Array =>
  Int32Array.from(map, (number) => (Number.isNaN(number) ? -1 : number));

/** Mixes the labels of another sample, which was mixed with this one, with those that were computed for it: nothing else is asked of either. */
export function mixLabels({ label, sample, ownShare }: OtherItem, fields: Fields["fields"], out: FieldArrays): void {
  for (const [name, field] of Object.entries(fields)) {
    if (field.kind !== "head") continue;
    const labelled = { array: new Float32Array(0), label, random: fieldStream(0, name, 0, sample) };
    const [own, others] = [out[name] as FieldArray, valuesOf(field, labelled)];
    for (const [i, value] of own.entries()) own[i] = ownShare * value + (1 - ownShare) * (others[i] as number);
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

/** Bytes in 0..1; floats as they are. */
function inUnits(numbers: Numbers): Float32Array {
  if (numbers instanceof Float32Array) return numbers;
  const result = new Float32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++) result[i] = (numbers[i] as number) * (1 / 255);
  return result;
}

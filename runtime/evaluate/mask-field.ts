/** The field of a mask that is drawn from the image, where images are shown: training has it from where data is prepared. */

import { type ArrayShape, arrayLength, arrayOf, type ModelProgram } from "../../blocks/index.js";
import type { Values } from "../../graph/index.js";
import type { BatchArrays } from "../data/batches.js";
import { fieldStream } from "../hash.js";
import { type ColourScale, withoutNormalization } from "./colours.js";

/**
 * -> the field by its name, or nothing where the mask has none or has it from a file beside the image: then it is drawn without.
 * @param arrays [B, ...axes, C] as the model sees them, by name
 */
export function maskField(
  program: Pick<ModelProgram, "arrays" | "fields">,
  arrays: BatchArrays,
  colours: (array: string) => ColourScale | null,
  seed: number,
  samples: Int32Array,
): Values {
  const found = Object.entries(program.fields ?? {}).find(
    ([, { kind, beside }]) => kind === "mask" && beside === undefined,
  );
  if (!found) return {};
  const [name, { compute, dtype, input }] = found;
  const array = input ?? arrayOf(program).name;
  const shape = program.arrays[array] as ArrayShape;
  const [values, scale] = [arrays[array] as Float32Array, colours(array)];
  const units = scale === null ? values : withoutNormalization(values, scale);
  const size = arrayLength(shape);
  const numbers = Array.from(samples, (sample, i) => {
    const random = fieldStream(seed, name, 0, sample);
    return [...compute({ array: units.subarray(i * size, (i + 1) * size), label: null, random })];
  }).flat();
  return { [name]: dtype === "int32" ? Int32Array.from(numbers) : Float32Array.from(numbers) };
}

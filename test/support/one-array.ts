/** What tests ask of models that read one array: its lattice, its mask, its reconstructions. */

import { arrayOf, type Lattice, type MaskSampler, type ModelProgram } from "../../blocks/index.js";
import type { Executor } from "../../runtime/executors/executor.js";
import { type ColourScale, type Reconstruction, reconstruct, type Trained } from "../../runtime/index.js";

export const gridOf = ({ grids }: Pick<ModelProgram, "grids">): Lattice => Object.values(grids)[0] as Lattice;

export const maskOf = ({ masks }: Pick<ModelProgram, "masks">): MaskSampler => Object.values(masks)[0] as MaskSampler;

/** @param images [B, ...axes, C] as the model sees them. */
export async function reconstructed(
  model: Trained,
  images: Float32Array,
  { colours, ...options }: { readonly executor: Executor; readonly colours: ColourScale | null; readonly seed: number },
): Promise<readonly Reconstruction[]> {
  const { name } = arrayOf(model.program);
  const [first] = await reconstruct(model, { [name]: images }, { ...options, colours: () => colours });
  return first?.reconstructions ?? [];
}

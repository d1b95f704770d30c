/** Training through the command: a model that is small enough for a test, and real pictures to train it on. */

import { folder, mae } from "./mae.js";

export const smallModel = `model Small {
  input   image(size: 16x16, channels: 3)
  tokens  patch(size: 4x4)
  mask    random(ratio: 75%)
  encoder vit(depth: 1, width: 16, heads: 2)
  decoder vit(depth: 1, width: 16, heads: 2)
  target  pixels(normalize: none)
  loss    mse(on: hidden)
}
`;

/** At a constant rate, so that a longer training begins like a shorter one. */
export const smallRecipe = (batch: number, steps: number): string => `recipe Train for Small {
  data      folder("images", holdout: 20%)
  augment   resize(size: 16x16)
  batch     ${batch}
  steps     ${steps}
  optimizer adamw(lr: 1e-3)
  schedule  constant
}
`;

/** A project with these files and the pictures that `mae init` draws, in a folder for each class. */
export async function project(files: Readonly<Record<string, string>>): Promise<string> {
  const cwd = folder(files);
  await mae(["init", "."], { cwd });
  return cwd;
}

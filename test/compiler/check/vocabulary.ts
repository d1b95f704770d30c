/** A few blocks of the real registry, so that the readable goldens stay as they are when a block is added. */

import { type Kind, registry, type Registry } from "../../../blocks/index.js";

const chosen: Readonly<Record<Kind, readonly string[]>> = {
  input: ["image"],
  tokens: ["patch"],
  positions: ["learned", "sin_cos"],
  mask: ["grid", "random", "spiral"],
  encoder: ["vit"],
  decoder: ["linear", "vit"],
  target: ["pixels"],
  loss: ["l1", "mse"],
  dataset: ["folder"],
  augment: ["horizontal_flip", "random_resized_crop"],
  optimizer: ["adamw", "sgd"],
  schedule: ["constant", "cosine"],
  probe: ["knn"],
};

export const vocabulary = Object.fromEntries(
  Object.entries(registry).map(([kind, blocks]) => [kind, blocks.filter(({ name }) => chosen[kind as Kind].includes(name))]),
) as unknown as Registry;

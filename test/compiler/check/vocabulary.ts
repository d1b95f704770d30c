/** A few blocks of the real registry, so that the readable goldens stay as they are when a block is added. */

import { type Kind, type Registry, registry } from "../../../blocks/index.js";

const chosen: Readonly<Record<Kind, readonly string[]>> = {
  input: ["image"],
  view: [],
  tokens: ["patch"],
  positions: ["learned", "sin_cos"],
  mask: ["grid", "random", "spiral"],
  encoder: ["vit"],
  latents: [],
  decoder: ["linear", "vit"],
  target: ["pixels"],
  regions: [],
  loss: ["l1", "mse"],
  head: [],
  teacher: [],
  adversary: [],
  dataset: ["folder"],
  augment: ["horizontal_flip", "random_resized_crop"],
  optimizer: ["adamw", "sgd"],
  schedule: ["constant", "cosine"],
  probe: ["knn"],
};

export const vocabulary = Object.fromEntries(
  Object.entries(registry).map(([kind, blocks]) => [
    kind,
    blocks.filter(({ name }) => chosen[kind as Kind].includes(name)),
  ]),
) as unknown as Registry;

/** A block of a project's own: it takes labels and a block as values, as no block of ours does yet. */
export const agreement: Registry["loss"][number] = {
  name: "agreement",
  summary: "How far the features of the labelled lines agree.",
  source: "own definition",
  since: "0.1",
  params: {
    between: { type: { kind: "labels", parts: false }, doc: "The lines compared." },
    by: { type: { kind: "block", of: "loss" }, doc: "How they are compared.", default: null },
  },
  weight: () => 1,
  build() {
    throw new Error("checked in tests, never built");
  },
};

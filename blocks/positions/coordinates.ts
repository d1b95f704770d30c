/** Positions made of where tokens are in space, as in Point-MAE. */

import { coordinateParameters, coordinatePositions } from "../nn/index.js";
import { choice, int } from "../params.js";
import { definePositions } from "./contract.js";

export const coordinates = definePositions({
  name: "coordinates",
  summary: "A small perceptron makes a position of the coordinates of a token's centre.",
  source: "Pang et al., Masked Autoencoders for Point Cloud Self-supervised Learning, ECCV 2022, section 3.2",
  since: "0.2",
  params: {
    hidden: int({ min: 1, max: 65_536, default: 128, doc: "Features between the two layers of the perceptron." }),
    add: choice({
      default: "once",
      options: {
        once: "To the tokens, as other positions are.",
        every_block: "To what enters each block, as in Point-MAE.",
      },
      doc: "When positions are added.",
    }),
  },
  requires: [
    {
      name: "one-input",
      at: "add",
      doc: "Positions are added to every block of models with one input.",
      holds: (p, { inputs }) => p.add === "once" || inputs === 1,
      say: (_, { inputs }) => `the model reads ${inputs} inputs, whose tokens pass the same blocks`,
      help: () => "write `add: once`",
    },
  ],
  computed: {
    added: (p) => p.add,
    positions: (code, _, w, centres) => code.let("positions", coordinatePositions, centres, w),
  },
  table: ({ hidden }, { width, extra }) => coordinateParameters({ hidden, width, extra: extra as 0 | 1 }),
});

/** Rotary positions, of RoFormer along a sequence and of EVA-02 and DINOv3 along the axes of a grid. */

import { choice, real } from "../params.js";
import { definePositions } from "./contract.js";

export const rotary = definePositions({
  name: "rotary",
  summary: "Queries and keys of every block are turned by where their tokens stand; nothing is added to the tokens.",
  source:
    "Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021; Fang et al., EVA-02, 2023; Siméoni et al., DINOv3, 2025",
  since: "0.2",
  params: {
    base: real({
      min: 1,
      openMin: true,
      max: 1e9,
      default: 10_000,
      doc: "What the angles fall off by: of F frequencies of an axis, number j turns by the place times `base` to the power of -j / F.",
    }),
    pairs: choice({
      default: "halves",
      options: {
        halves: "Features half a head apart, as GPT-NeoX and DINOv3 have it.",
        neighbours: "Features beside each other, as RoFormer and EVA-02 have it.",
      },
      doc: "Which two features of a head are turned together.",
    }),
    measure: choice({
      default: "places",
      options: {
        places: "Numbers of places from 0, as RoFormer and EVA-02 have it.",
        spread: "Middles of places between -1 and 1 along their axis, times 2 pi, as DINOv3 has it.",
      },
      doc: "What is multiplied by the frequencies.",
    }),
  },
  requires: [
    {
      name: "one-input",
      at: null,
      doc: "The model reads one input: places of different inputs are not apart by any number.",
      holds: (_, { inputs }) => inputs === 1,
      say: (_, { inputs }) => `the model reads ${inputs} inputs, whose tokens pass the same blocks`,
      help: () => "use `positions learned` or `sin_cos`",
    },
  ],
  turned: ({ base, pairs, measure }) => ({ base, pairs, measure }),
  table: () => ({}),
});

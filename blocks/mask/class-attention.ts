/** AttMask: hides what the class token attends to. */

import { classAttention, fewestAmongMost, mostAttendedLast, negated } from "../nn/index.js";
import { choice, int, optional } from "../params.js";
import { tokenCount } from "../sets.js";
import { latentFrom } from "../sources.js";
import { defineMask } from "./contract.js";
import { drawnOrder, featureParams, movingShare, shareParam, uniformNumbers, waiting } from "./guides.js";
import { byRatio, hiding, someOfEach } from "./ratio.js";

/** Of all patches those among which hints are. */
const tenth = 0.1;

export const classAttentionMask = defineMask({
  name: "class_attention",
  summary: "Hides the patches that the class token attends to most, or least, in the model or in its teacher.",
  source:
    "Kakogeorgiou et al., What to Hide from Your Students: Attention-Guided Masked Image Modeling (AttMask), ECCV 2022",
  since: "0.2",
  params: {
    ...hiding,
    hide: choice({
      default: "most",
      options: { most: "What is attended to most.", least: "What is attended to least." },
      doc: "Which patches are hidden.",
    }),
    hints: shareParam({
      default: 0,
      doc: "Share of the most attended tenth of the patches that stays visible, drawn anew for each sample; it may move.",
    }),
    by: choice({
      default: "encoder",
      options: { encoder: "The encoder that is trained.", teacher: "Its slow copy, of a model that has a teacher." },
      doc: "Whose attention is read.",
    }),
    layer: optional(
      int({ min: 1, doc: "Layer whose attention is read, counted from the first. If absent, the last." }),
    ),
    warmup: featureParams.warmup,
    of: latentFrom,
  },
  requires: [
    someOfEach,
    {
      name: "class-token",
      at: null,
      doc: "The encoder has a class token.",
      holds: (_, { extraTokens }) => extraTokens === null || extraTokens > 0,
      say: () => "it asks what the class token attends to, and the encoder has none",
      help: () => "write `class_token: true` in the encoder, or use the mask `attention_guided`",
    },
    {
      name: "has-the-layer",
      at: "layer",
      doc: "The encoder has the layer whose attention is read.",
      holds: (p, { layers }) => layers === null || (p.layer ?? 1) <= layers,
      say: (p, { layers }) => `there is no layer ${p.layer} in an encoder that has ${layers}`,
      help: (_, { layers }) => `write a layer from 1 to ${layers}`,
    },
  ],
  ...byRatio,
  sample: (p, grid, stream) => drawnOrder(p, grid, stream),
  guide: {
    numbers: (_, grid) => tokenCount(grid),
    draw: (_, grid, stream) => uniformNumbers(tokenCount(grid), stream),
    moving: (p) => ({ chance: waiting(p), hints: movingShare(p.hints, p) }),
    by: (p) => p.by,
    order(code, p, { attention, layers, drawn, draws, moving, extra, hidden, grid }) {
      const count = tokenCount(grid);
      const received = code.let("received", classAttention, attention(p.layer ?? layers), { extra, count });
      const wanted =
        p.hide === "least"
          ? code.let("wanted", negated, received)
          : code.let("wanted", fewestAmongMost, received, draws, moving.hints, { top: Math.round(count * tenth) });
      return code.let("order", mostAttendedLast, wanted, drawn, moving.chance, { hidden, mix: "share" });
    },
  },
});

/** How well one array was moved onto another: the overlap of their classes before and after, and how often space folds. */

import { flag } from "../params.js";
import { definePlaceProbe } from "./contract.js";
import { meanOf, type Overlaps, sharesOf } from "./overlaps.js";

export const registration = definePlaceProbe({
  name: "registration",
  summary:
    "Dice overlap of the classes of two arrays before and after one was moved onto the other, and the share of places that fold.",
  source: "Balakrishnan et al., VoxelMorph, IEEE Transactions on Medical Imaging 2019",
  since: "0.2",
  params: { background: flag({ default: false, doc: "Whether class 0 counts too." }) },
  requires: [
    {
      name: "displacement",
      at: null,
      doc: "The model has a head that says where places go.",
      holds: (_, { says }) => says === "moves",
      say: () => "the model does not say where places go",
      help: () => "judge its features or classes, or give it a head such as `displacement`",
    },
  ],
  judges: "moves",
  async judgePlaces(p, samples) {
    const first = p.background ? 0 : 1;
    const mean = (of: (one: (typeof samples)[number]) => number): number =>
      samples.reduce((sum, one) => sum + of(one), 0) / samples.length;
    const dice = (overlaps: Overlaps | undefined): number =>
      overlaps ? meanOf(sharesOf(overlaps).dice.slice(first)) : Number.NaN;
    return {
      scores: {
        dice: mean(({ overlaps }) => dice(overlaps)),
        dice_before: mean(({ moved }) => dice(moved?.before)),
        folded: mean(({ moved }) => moved?.folded ?? Number.NaN),
      },
      protocol:
        `Dice of each class of the fixed array and of the moving one read by the nearest place where the head says, its mean over classes${p.background ? "" : " but 0"}, ` +
        `then over ${samples.length} test samples; before: not moved; folded: places where the Jacobian of place and displacement, by central differences, is not positive`,
    };
  },
});

/** Overlap of the classes that a head says of places with those that are there. */

import { flag } from "../params.js";
import { definePlaceProbe, saysPlaces } from "./contract.js";
import { meanOf, sharesOf, together } from "./overlaps.js";
import { slidingFits, slidingParams, slidingWords } from "./sliding.js";

/** A share of a class, or null where it is neither said nor there. */
const known = (share: number | undefined): number | null => (share === undefined || Number.isNaN(share) ? null : share);

export const segmentation = definePlaceProbe({
  name: "segmentation",
  summary:
    "Mean intersection over union, share of places that are right, and Dice, of the classes that a head says of places.",
  source: "Everingham et al., The PASCAL Visual Object Classes Challenge, IJCV 2010; Dice, Ecology 1945",
  since: "0.2",
  params: {
    background: flag({
      default: true,
      doc: "Whether class 0 counts among the classes whose mean is taken; places of it count in any case.",
    }),
    ...slidingParams,
  },
  requires: [saysPlaces, ...slidingFits],
  async judgePlaces(p, samples, { classes }) {
    const first = p.background ? 0 : 1;
    const all = together(
      samples.map(({ overlaps }) => overlaps),
      classes,
    );
    const total = (counts: Float64Array): number => counts.reduce((sum, count) => sum + count, 0);
    const shares = sharesOf(all);
    const each = samples.map(({ overlaps }) => meanOf(sharesOf(overlaps).dice.slice(first)));
    const judged = total(all.there);
    return {
      scores: {
        mean_iou: meanOf(shares.iou.slice(first)),
        right: judged === 0 ? Number.NaN : total(all.common) / judged,
        dice: meanOf(shares.dice.slice(first)),
        dice_of_samples: meanOf(each),
      },
      protocol:
        `intersection over union of each class over the places of all ${samples.length} test samples together, its mean over the classes that are said or ` +
        `there${p.background ? "" : ", without class 0"}; right: of all ${judged} places that count; dice: the same of all, dice of samples: of each, averaged${slidingWords(p)}`,
      details: {
        per_class: shares.iou.map((iou, k) => ({ iou: known(iou), dice: known(shares.dice[k]), places: all.there[k] })),
      },
    };
  },
});

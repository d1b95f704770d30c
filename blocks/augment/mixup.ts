/** Samples of a batch mixed in pairs, with their labels: mixup and CutMix. */

import type { Random } from "../../graph/index.js";
import { hasPictures } from "../arrays.js";
import type { Requirement } from "../block.js";
import { dirichletShares } from "../mask/dirichlet.js";
import { type Params, ratio, real } from "../params.js";
import { saidWords } from "../saying.js";
import { type AugmentContext, type Box, defineAugment, type PixelSize } from "./contract.js";

/** A number drawn from the beta distribution with both parameters alpha. */
const drawShare = (alpha: number, random: Random): number => dirichletShares(2, alpha, random)[0] as number;

/** A box of a share of the picture around a random place, cut off at the edges. */
function drawBox({ height, width }: PixelSize, share: number, random: Random): Box {
  const along = (side: number): readonly [from: number, to: number] => {
    const half = Math.floor(Math.trunc(side * Math.sqrt(share)) / 2);
    const centre = random.integer(side);
    return [Math.max(0, centre - half), Math.min(side, centre + half)];
  };
  const [top, bottom] = along(height);
  const [left, right] = along(width);
  return { top, left, height: bottom - top, width: right - left };
}

/** Of what mixes samples with their labels. */
export const labelsToMix: Requirement<Params, AugmentContext> = {
  name: "labels",
  at: null,
  doc: "The model has a head that names a sample's class: its labels are mixed too.",
  holds: (_, { says }) => says === "classes",
  say: (_, { says }) =>
    `this mixes samples with their labels, and the model ${says == null ? "has no head" : says === "objects" ? "finds objects, whose boxes cannot be mixed" : `says ${saidWords[says]}`}`,
  help: () => "remove it: it is for the fine-tuning of classifiers",
};

export const mixup = defineAugment({
  name: "mixup",
  summary: "Mixes the samples of a batch in pairs, all over or in a box, and their labels alike.",
  source:
    "Zhang et al., mixup: Beyond Empirical Risk Minimization, ICLR 2018; Yun et al., CutMix, ICCV 2019; drawn as by Mixup of timm in its mode `batch`",
  since: "0.2",
  changes: "channels",
  params: {
    alpha: real({
      min: 0,
      max: 1000,
      default: 0.8,
      doc: "Of the beta distribution of shares where samples are mixed all over: small ones leave most samples nearly as they are; 0: they never are.",
    }),
    cutmix: real({
      min: 0,
      max: 1000,
      default: 1,
      doc: "The same where a box of each picture is that of another one; 0: it never is.",
    }),
    probability: ratio({ default: 1, doc: "Share of the batches that are mixed." }),
    switch: ratio({ default: 0.5, doc: "Of those, the share that is mixed in a box, where both are written." }),
  },
  requires: [
    labelsToMix,
    {
      name: "some-mixing",
      at: "alpha",
      doc: "One of `alpha` and `cutmix` is above 0.",
      holds: (p) => p.alpha > 0 || p.cutmix > 0,
      say: () => "`alpha` and `cutmix` are both 0, so that nothing is ever mixed",
      help: () => "write `alpha: 0.8` or `cutmix: 1`, or remove the line",
    },
    {
      name: "boxes-of-pictures",
      at: "cutmix",
      doc: "Boxes are cut from pictures alone.",
      holds: (p, { array }) => p.cutmix === 0 || hasPictures(array),
      say: () => "`cutmix` cuts boxes from pictures, and the model reads none",
      help: () => "write `cutmix: 0`",
    },
  ],
  random: true,
  plan: () => [],
  mix(p, picture, random) {
    if (random.uniform() >= p.probability) return null;
    const inBox = p.cutmix > 0 && (p.alpha === 0 || random.uniform() < p.switch);
    const share = drawShare(inBox ? p.cutmix : p.alpha, random);
    if (!inBox) return { share, box: null };
    const box = drawBox(picture, 1 - share, random);
    return { share: 1 - (box.height * box.width) / (picture.height * picture.width), box };
  },
});

/** Lints of the task: what is hidden, what is predicted, and what counts as an error. */

import { patchDiscriminator } from "../adversary/index.js";
import { pictureOf } from "../arrays.js";
import type { Bound } from "../block.js";
import { crossEntropy, l1, mse, queueContrast, smoothL1, uniformity } from "../loss/index.js";
import { mustBe } from "../registry.js";
import { boxLength, boxText, tokenCount } from "../sets.js";
import { lowPass, pixels } from "../target/index.js";
import {
  arrayOfLines,
  at,
  inSlot,
  type Lint,
  type LintLine,
  type LintRecipe,
  latticeOfLines,
  type Place,
  type Remark,
  readFrom,
  settingOf,
  shareText,
  valuesOf,
} from "./contract.js";

/** Shares of visible patches outside of which published results are rare. */
const fewVisible = 0.05;
const manyVisible = 0.9;
/** MaskFeat and BEiT hide about 40 % and show 60 %. */
const mostVisible = 0.62;

/** Whether what goes on of an encoder are latents or codes: no patch can be copied through them. */
const isNarrow = (lines: readonly LintLine[]): boolean =>
  inSlot(lines, "latents").length > 0 ||
  inSlot(lines, "encoder").some(({ definition }) => mustBe("encoder", definition).maps?.codes !== undefined);

/** Remarks on masks whose share of visible patches is odd. Of words, which are hard to guess, few are chosen. */
function shownRemarks(lines: readonly LintLine[], isOdd: (share: number) => boolean, help: string): readonly Remark[] {
  const grid = latticeOfLines(lines);
  // There is something to learn where nothing is hidden: behind a narrow passage, and of views, where nothing is drawn.
  if (!grid || isNarrow(lines) || inSlot(lines, "target").length === 0) return [];
  // What is given in full is no part of the share that is hidden.
  const isOfAll = ({ corrupts, given }: ReturnType<typeof mustBe<"mask">>): boolean => !corrupts && given === undefined;
  const masks = inSlot(lines, "mask").filter(({ definition }) => isOfAll(mustBe("mask", definition)));
  return masks.flatMap((mask): readonly Remark[] => {
    const { answer: visible, read } = readFrom(mask, (definition, values) =>
      mustBe("mask", definition).visible(values, grid),
    );
    const tokens = tokenCount(grid);
    if (!isOdd(visible / tokens)) return [];
    const places: [Place, ...Place[]] = [read[0] ?? { block: mask }, ...read.slice(1)];
    return [{ places, message: `${visible} of ${tokens} patches are visible`, help }];
  });
}

/** All blocks of a model, those in braces included. */
const everyUse = (lines: readonly LintLine[]): readonly Bound[] =>
  lines.flatMap(({ use, inner }) => [use, ...everyUse(inner)]);

/** The losses between prediction and target, and what each is taken over. */
const comparisons = (lines: readonly LintLine[]) =>
  everyUse(lines).flatMap((use) => {
    const p = valuesOf(use, mse) ?? valuesOf(use, l1) ?? valuesOf(use, smoothL1);
    return p ? [{ use, on: p.on }] : [];
  });

const onRemarks = (lines: readonly LintLine[], on: string, message: string, help: string): readonly Remark[] =>
  comparisons(lines)
    .filter((one) => one.on === on)
    .map(({ use }) => ({ places: [at(use, "on")], message, help }));

/** Pixels of a patch up to which its own mean and deviation are most of what is in it. */
const tinyPatch = 16;

function normalizedTinyPatches(lines: readonly LintLine[]): readonly Remark[] {
  const [grid, array, tokens] = [latticeOfLines(lines), arrayOfLines(lines), inSlot(lines, "tokens")[0]];
  if (!grid || !array || !tokens || !pictureOf(array) || boxLength(grid) > tinyPatch) return [];
  return inSlot(lines, "target").flatMap((use): readonly Remark[] => {
    const p = valuesOf(use, pixels) ?? valuesOf(use, lowPass);
    if (p?.normalize !== "patch") return [];
    return [
      {
        places: [at(use, "normalize"), at(tokens, "size")],
        message: `patches of ${boxText(grid)} pixels are normalised one by one`,
        help: "write `normalize: none`, or use larger patches",
      },
    ];
  });
}

/** A loss or an adversary whose weight is above what is published. */
const heavy = (lines: readonly LintLine[], most: number, weightOf: (use: Bound) => number | null, help: string) =>
  everyUse(lines).flatMap((use): readonly Remark[] => {
    const weight = weightOf(use);
    return weight === null || weight <= most
      ? []
      : [{ places: [at(use, "weight")], message: `a weight of ${weight}`, help }];
  });

/** Fewest samples whose spread says something. */
const fewestPairs = 64;

function uniformityOfFew(recipe: LintRecipe): readonly Remark[] {
  const batch = settingOf(recipe, "batch");
  const use = inSlot(recipe.model, "loss").find((loss) => valuesOf(loss, uniformity));
  if (!use || batch === null || batch >= fewestPairs) return [];
  return [
    {
      places: [{ setting: "batch" }, { block: use }],
      message: `the uniformity of features is judged on ${batch} samples`,
      help: `use a batch of ${fewestPairs} or more`,
    },
  ];
}

/** Vectors of a teacher that a step puts into a queue which keeps fewer. */
function shortQueue(recipe: LintRecipe): readonly Remark[] {
  const batch = settingOf(recipe, "batch");
  const [views] = inSlot(recipe.model, "views");
  const [teacher] = inSlot(recipe.model, "teacher");
  if (batch === null || !views || !teacher) return [];
  const on = mustBe("teacher", teacher.definition).on?.(teacher.values) ?? null;
  const streams = mustBe("view", views.definition).streams(views.values);
  const seen = streams.reduce((sum, { name, count }) => sum + (on?.includes(name) === false ? 0 : count), 0);
  return inSlot(recipe.model, "loss").flatMap((use): readonly Remark[] => {
    const kept = valuesOf(use, queueContrast)?.queue;
    if (kept === undefined || kept >= batch * seen) return [];
    return [
      {
        places: [at(use, "queue"), { setting: "batch" }],
        message: `the queue keeps ${kept} of the ${batch * seen} vectors that a step puts into it`,
        help: `write a \`queue\` of many batches, such as ${16 * batch * seen}`,
      },
    ];
  });
}

const mostSmoothing = 0.3;

const asksViews = (lines: readonly LintLine[]): boolean =>
  inSlot(lines, "decoder").some(({ definition }) => mustBe("decoder", definition).asks !== undefined);

/** What a usual model hides and predicts. */
const usualTask =
  "mask    random(ratio: 75%)\n  encoder vit(depth: 12, width: 768, heads: 12)\n  decoder vit(depth: 8, width: 512, heads: 16)\n  target  pixels(normalize: patch)\n  loss    mse(on: hidden)";

/** What one compares views by. */
const queueOf = (length: number): string =>
  `views   two\n  encoder vit(depth: 12, width: 768, heads: 12)\n  head    projector\n  teacher ema(on: [second], momentum: 0.999)\n  loss    queue_contrast(queue: ${length})`;

export const objectiveLints: readonly Lint[] = [
  {
    code: "lint/extreme-ratio",
    category: "masking",
    severity: "warning",
    source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, figure 5",
    title: "Almost all, or almost none, of the patches are hidden.",
    reason: "With too little visible there is nothing to learn from, with too little hidden nothing to learn.",
    more: "Less than 5 % visible leaves the encoder little to learn from; more than 90 % visible lets it solve the task by copying neighbours. Published masks show between 10 % and 60 % of the patches; masked autoencoders on images are at their best with about a quarter visible.",
    example: { write: { "mask    random(ratio: 75%)": "mask    random(ratio: 98%)" } },
    model: (lines) =>
      shownRemarks(
        lines,
        // What is hidden of one view can be asked of another.
        (share) => (share < fewVisible && !asksViews(lines)) || share > manyVisible,
        "published masks show between 10% and 60% of the patches; the best known is 25%",
      ),
  },
  {
    code: "lint/little-hidden",
    category: "masking",
    severity: "warning",
    source: "He et al., CVPR 2022, figure 5; Xie et al., SimMIM, CVPR 2022, table 1",
    title: "Most of the patches are visible.",
    reason: "Where most neighbours can be seen, copying and blurring them solves the task, and little is learned.",
    more: "Linear probes of masked autoencoders lose some 15 points between 75 % and 30 % hidden. Block masks hide 40 % or more, random ones 60 % to 80 %. Reported where more than 62 % are visible.",
    example: { write: { "mask    random(ratio: 75%)": "mask    random(ratio: 30%)" } },
    model: (lines) =>
      shownRemarks(
        lines,
        (share) => share > mostVisible && share <= manyVisible,
        "hide more: `ratio: 75%` of random patches, 40% or more of blocks",
      ),
  },
  {
    code: "lint/loss-on-all",
    category: "objective",
    severity: "warning",
    source: "He et al., CVPR 2022, section 4.1 (84.9 % on hidden patches alone, 84.4 % on all)",
    title: "The loss counts patches that the encoder has seen.",
    reason: "Visible patches can be copied, and what is spent on them is not spent on predicting.",
    more: "Masked autoencoders lose half a point of accuracy where every patch counts.",
    example: { write: { "loss    mse(on: hidden)": "loss    mse(on: all)" } },
    model: (lines) =>
      isNarrow(lines)
        ? []
        : onRemarks(
            lines,
            "all",
            "every patch counts, the visible ones too",
            "write `on: hidden`, as masked autoencoders do",
          ),
  },
  {
    code: "lint/loss-on-visible",
    category: "objective",
    severity: "warning",
    source: "He et al., CVPR 2022, section 3 (the loss is computed on masked patches)",
    title: "The loss counts nothing but patches that the encoder has seen.",
    reason: "Nothing hidden is ever predicted: the model is an autoencoder without the masks.",
    more: "A second target may have a loss on visible patches, beside one on hidden ones; write then why: `// mae-ignore lint/loss-on-visible: ...`.",
    example: { write: { "loss    mse(on: hidden)": "loss    mse(on: visible)" } },
    model: (lines) => onRemarks(lines, "visible", "only visible patches count", "write `on: hidden`"),
  },
  {
    code: "lint/normalized-tiny-patches",
    category: "objective",
    severity: "warning",
    source: "He et al., CVPR 2022, section 3 (statistics of a patch of 16x16x3 values)",
    title: "Patches of a few pixels are normalised one by one.",
    reason: "The mean and deviation of a few pixels are most of what is in them; what is left is mostly noise.",
    more: "Normalising raises contrast within patches of 14x14 or 16x16 pixels. Of a plain patch of a few pixels it makes noise as loud as an edge. Reported up to 16 pixels.",
    example: {
      write: {
        "input   image(size: 224x224, channels: 3)\n  tokens  patch(size: 16x16)":
          "input   image(size: 32x32, channels: 3)\n  tokens  patch(size: 2x2)",
      },
      mended: {
        "input   image(size: 224x224, channels: 3)\n  tokens  patch(size: 16x16)":
          "input   image(size: 32x32, channels: 3)\n  tokens  patch(size: 8x8)",
      },
    },
    model: normalizedTinyPatches,
  },
  {
    code: "lint/heavy-uniformity",
    category: "objective",
    severity: "warning",
    source: "Zhang et al., How Mask Matters, NeurIPS 2022, section 5 and its ablation of the weight",
    title: "The uniformity term outweighs the reconstruction.",
    reason: "Features that are only spread evenly say nothing of the image.",
    more: "U-MAE has a weight of 0.01. Reported above 0.5.",
    example: {
      write: { "loss    mse(on: hidden)": "loss    mse(on: hidden)\n  loss    uniformity(weight: 2)" },
      mended: { "loss    mse(on: hidden)": "loss    mse(on: hidden)\n  loss    uniformity(weight: 0.01)" },
    },
    model: (lines) => heavy(lines, 0.5, (use) => valuesOf(use, uniformity)?.weight ?? null, "U-MAE has `weight: 0.01`"),
  },
  {
    code: "lint/uniformity-of-few",
    category: "objective",
    severity: "warning",
    source:
      "Wang and Isola, Understanding Contrastive Representation Learning through Alignment and Uniformity, ICML 2020, figure 5",
    title: "The uniformity of features is judged on a small batch.",
    reason: "A few samples look spread out whatever the features are.",
    more: "The term compares all pairs of a batch; U-MAE has 1024 samples or more in one. Reported below 64.",
    example: {
      write: {
        "loss    mse(on: hidden)": "loss    mse(on: hidden)\n  loss    uniformity",
        "batch     4096": "batch     16",
      },
      mended: { "loss    mse(on: hidden)": "loss    mse(on: hidden)\n  loss    uniformity" },
    },
    recipe: uniformityOfFew,
  },
  {
    code: "lint/short-queue",
    category: "objective",
    severity: "warning",
    source: "He et al., Momentum Contrast for Unsupervised Visual Representation Learning, CVPR 2020, figure 3",
    title: "A queue keeps less than what one step puts into it.",
    reason: "A queue is there to hold more negatives than a batch has: some of what is made for it is thrown away.",
    more: "MoCo keeps 65,536 vectors at batches of 256; its probes gain up to there.",
    example: {
      write: {
        [usualTask]: queueOf(1024),
      },
      mended: { [usualTask]: queueOf(65_536) },
    },
    recipe: shortQueue,
  },
  {
    code: "lint/heavy-adversary",
    category: "objective",
    severity: "warning",
    source:
      "Fei et al., Masked Auto-Encoders Meet Generative Adversarial Networks and Beyond, CVPR 2023; Esser et al., Taming Transformers, CVPR 2021",
    title: "The adversary outweighs the reconstruction.",
    reason: "A model that has to please a judge before all else predicts what fools it, not what was hidden.",
    more: "Published weights are 1 or less, 0.1 for small models. Reported above 2.",
    example: {
      write: { "loss    mse(on: hidden)": "loss    mse(on: hidden)\n  adversary patch_discriminator(weight: 10)" },
      mended: { "loss    mse(on: hidden)": "loss    mse(on: hidden)\n  adversary patch_discriminator(weight: 0.1)" },
    },
    model: (lines) =>
      heavy(lines, 2, (use) => valuesOf(use, patchDiscriminator)?.weight ?? null, "write a weight of at most 1"),
  },
  {
    code: "lint/strong-smoothing",
    category: "objective",
    severity: "warning",
    source:
      "Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, section 7; Müller et al., When Does Label Smoothing Help?, NeurIPS 2019",
    title: "The labels are smoothed so much that little is left of them.",
    reason: "A label that is mostly spread over all classes hardly says which one it is.",
    more: "The usual smoothing is 10 %. Reported above 30 %.",
    example: {
      write: {
        [usualTask]:
          "encoder vit(depth: 12, width: 768, heads: 12)\n  head    classifier(classes: 1000, pool: mean)\n  loss    cross_entropy(smoothing: 60%)",
      },
      mended: {
        [usualTask]:
          "encoder vit(depth: 12, width: 768, heads: 12)\n  head    classifier(classes: 1000, pool: mean)\n  loss    cross_entropy(smoothing: 10%)",
      },
    },
    model: (lines) =>
      inSlot(lines, "loss").flatMap((use): readonly Remark[] => {
        const p = valuesOf(use, crossEntropy);
        if (!p || p.smoothing <= mostSmoothing) return [];
        const message = `${shareText(p.smoothing)} of each label are spread over all classes`;
        return [{ places: [at(use, "smoothing")], message, help: "write `smoothing: 10%`" }];
      }),
  },
];

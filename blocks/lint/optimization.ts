/** Lints of training: learning rate, decay, schedule, length, batch. */

import { adamw, sgd } from "../optimizer/index.js";
import type { DurationValue, RateValue, ScheduleValue } from "../params.js";
import { mustBe } from "../registry.js";
import { constant, cosine, step } from "../schedule/index.js";
import {
  at,
  type Lint,
  type LintLine,
  type LintRecipe,
  type Place,
  type Remark,
  rateText,
  settingOf,
  shareText,
  valuesOf,
} from "./contract.js";

/** The usual recipe's line of the optimizer, and one with other values. */
const usualAdam = "optimizer adamw(lr: 1.5e-4 per 256, betas: (0.9, 0.95), weight_decay: 0.05)";
const usualSchedule = "schedule  cosine(warmup: 40 epochs)";
const usualBatch = "batch     4096";

interface Peak {
  readonly rate: RateValue;
  readonly batch: number;
  /** What it comes to with the recipe's batch. */
  readonly peak: number;
  readonly places: readonly [Place, ...Place[]];
}

function peakOf(recipe: LintRecipe): Peak {
  const { optimizer } = recipe;
  const rate = mustBe("optimizer", optimizer.definition).lr(optimizer.values);
  const batch = settingOf(recipe, "batch") ?? 1;
  const peak = rate.per === null ? rate.value : (rate.value * batch) / rate.per;
  return { rate, batch, peak, places: [at(optimizer, "lr"), ...(rate.per === null ? [] : [{ setting: "batch" }])] };
}

/** `1.5e-4 x 4096 / 256 = 2.4e-3` */
const peakText = ({ rate, batch, peak }: Peak): string =>
  rate.per === null
    ? `a learning rate of ${rateText(peak)}`
    : `a learning rate of ${rateText(rate.value)} x ${batch} / ${rate.per} = ${rateText(peak)}`;

function peakRemark(recipe: LintRecipe, isOdd: (peak: number) => boolean, help: string): readonly Remark[] {
  const peak = peakOf(recipe);
  return isOdd(peak.peak) ? [{ places: peak.places, message: peakText(peak), help }] : [];
}

const isAdam = ({ optimizer }: LintRecipe): boolean => valuesOf(optimizer, adamw) !== null;
const isSgd = ({ optimizer }: LintRecipe): boolean => valuesOf(optimizer, sgd) !== null;

/** Remarks on one value of the optimizer. */
function optimizerRemark(recipe: LintRecipe, value: string, message: string | null, help: string): readonly Remark[] {
  return message === null ? [] : [{ places: [at(recipe.optimizer, value)], message, help }];
}

/** Batches above this are where an absolute learning rate is most often a mistake. */
const largeBatch = 512;

function unscaled(recipe: LintRecipe): readonly Remark[] {
  const { rate, batch } = peakOf(recipe);
  if (rate.per !== null || batch <= largeBatch) return [];
  return [
    {
      places: [at(recipe.optimizer, "lr"), { setting: "batch" }],
      message: `\`lr\` does not follow the batch of ${batch}`,
      help: `write it per a number of samples: \`${rateText(rate.value)} per ${batch}\` is the same rate now`,
      instead: { after: ` per ${batch}` },
    },
  ];
}

/** Length of a recipe in a unit; null where only the data's size can tell. */
const lengthIn = (recipe: LintRecipe, unit: DurationValue["unit"]): number | null => settingOf(recipe, unit);

const durationText = ({ amount, unit }: DurationValue): string => `${amount} ${unit}`;

function longWarmup(recipe: LintRecipe): readonly Remark[] {
  const warmup = recipe.schedule.values.warmup as DurationValue | undefined;
  const total = warmup && lengthIn(recipe, warmup.unit);
  if (!warmup || !total || warmup.amount <= total / 2 || warmup.amount >= total) return [];
  return [
    {
      places: [at(recipe.schedule, "warmup"), { setting: warmup.unit }],
      message: `\`warmup\` takes ${warmup.amount} of ${durationText({ ...warmup, amount: total })}`,
      help: `a tenth is usual: \`${Math.max(1, Math.round(total / 10))} ${warmup.unit}\``,
    },
  ];
}

function noWarmup(recipe: LintRecipe): readonly Remark[] {
  const warmup = recipe.schedule.values.warmup as DurationValue | undefined;
  if (!isAdam(recipe) || warmup?.amount !== 0) return [];
  const help = "write a tenth of the training or less: 40 of 800 epochs in masked autoencoders, or a few hundred steps";
  return [{ places: [at(recipe.schedule, "warmup")], message: "the learning rate starts at its peak", help }];
}

function lateStep(recipe: LintRecipe): readonly Remark[] {
  const p = valuesOf(recipe.schedule, step);
  const total = p && lengthIn(recipe, p.every.unit);
  if (!p || !total || p.every.amount < total) return [];
  return [
    {
      places: [at(recipe.schedule, "every"), { setting: p.every.unit }],
      message: `the learning rate first falls after ${durationText(p.every)}, and training ends after ${total}`,
      help: `let it fall within the training, such as \`every: ${Math.max(1, Math.floor(total / 3))} ${p.every.unit}\`, or use \`constant\``,
    },
  ];
}

/** Values of a model that move, each with its block and name. */
const moving = (
  lines: readonly LintLine[],
): readonly { place: Place; name: string; value: Exclude<ScheduleValue, number> }[] =>
  lines.flatMap(({ use, inner }) => [
    ...Object.entries(use.definition.params).flatMap(([name, { type }]) => {
      const value = use.values[name] as ScheduleValue | null;
      const moves = type.kind === "schedule" && typeof value === "object" && value !== null && "over" in value;
      return moves ? [{ place: at(use, name), name, value }] : [];
    }),
    ...moving(inner),
  ]);

/** Values that are still on their way when training ends. */
const unfinished = (recipe: LintRecipe): readonly Remark[] =>
  moving(recipe.model).flatMap(({ place, name, value: { to, over } }): readonly Remark[] => {
    const total = over.unit === "training" ? 1 : lengthIn(recipe, over.unit);
    if (total === null || over.amount <= total || over.unit === "training") return [];
    return [
      {
        places: [{ setting: over.unit }, place],
        message: `\`${name}\` moves for ${over.amount} ${over.unit}, and training ends after ${total}: it never is ${to}`,
        help: "train longer, or let it move over a share of the training, such as `over 50%`",
      },
    ];
  });

export const optimizationLints: readonly Lint[] = [
  {
    code: "lint/high-learning-rate",
    category: "optimization",
    severity: "warning",
    source: "He et al., CVPR 2022, table 8; Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019",
    title: "The learning rate is far above what AdamW trains transformers with.",
    reason: "AdamW moves each weight by about the learning rate at a step: a large one leaves nothing of the start.",
    more: "Peaks of published transformers lie between 5e-4 and 4e-3 after scaling with the batch. Learning rates of 0.1 belong to SGD. Reported above 0.02.",
    example: { write: { [usualAdam]: "optimizer adamw(lr: 0.1 per 4096)" } },
    recipe: (recipe) =>
      isAdam(recipe)
        ? peakRemark(recipe, (peak) => peak > 0.02, "`1.5e-4 per 256` is that of masked autoencoders")
        : [],
  },
  {
    code: "lint/low-learning-rate",
    category: "optimization",
    severity: "warning",
    source: "He et al., CVPR 2022, table 8",
    title: "The learning rate is so low that AdamW hardly moves.",
    reason: "AdamW moves each weight by about the learning rate at a step: a tiny one never leaves the start.",
    more: "Often a rate `per` far too many samples, or one that was scaled down twice. Reported below 1e-6.",
    example: { write: { [usualAdam]: "optimizer adamw(lr: 1.5e-7 per 4096)" } },
    recipe: (recipe) =>
      isAdam(recipe)
        ? peakRemark(recipe, (peak) => peak > 0 && peak < 1e-6, "`1.5e-4 per 256` is that of masked autoencoders")
        : [],
  },
  {
    code: "lint/adam-rate-for-sgd",
    category: "optimization",
    severity: "warning",
    source:
      "Chen et al., An Empirical Study of Training Self-Supervised Vision Transformers (MoCo v3), ICCV 2021, section 4; Goyal et al., arXiv 1706.02677",
    title: "SGD has a learning rate that is one of Adam's.",
    reason: "SGD moves by the gradient times the learning rate, and gradients are small: rates of Adam train nothing.",
    more: "SGD takes rates about a thousand times as large: `0.1 per 256` is that of residual networks. Reported below 1e-3.",
    example: {
      write: { [usualAdam]: "optimizer sgd(lr: 1e-4 per 4096)" },
      mended: { [usualAdam]: "optimizer sgd(lr: 0.1 per 256)" },
    },
    recipe: (recipe) =>
      isSgd(recipe) ? peakRemark(recipe, (peak) => peak > 0 && peak < 1e-3, "`0.1 per 256` is usual for SGD") : [],
  },
  {
    code: "lint/unscaled-learning-rate",
    category: "optimization",
    severity: "warning",
    source: "Goyal et al., Accurate, Large Minibatch SGD, arXiv 1706.02677; He et al., CVPR 2022, appendix A.1",
    title: "The learning rate is absolute, and the batch is large.",
    reason:
      "Published learning rates are mostly for a batch of 256 and grow with it; an absolute one stays when the batch changes.",
    more: "`1.5e-4 per 256` is 2.4e-3 for a batch of 4096. For a rate that is meant for exactly this batch, write `per` and the batch: it is the same now, and stays right. Reported for batches above 512.",
    example: { write: { [usualAdam]: "optimizer adamw(lr: 1.5e-4, betas: (0.9, 0.95), weight_decay: 0.05)" } },
    recipe: unscaled,
  },
  {
    code: "lint/heavy-weight-decay",
    category: "optimization",
    severity: "warning",
    source:
      "Loshchilov and Hutter, ICLR 2019; Caron et al., DINO, ICCV 2021 (0.04 to 0.4); He et al., CVPR 2022, table 8 (0.05)",
    title: "The weight decay is far above what is published.",
    reason: "Decay pulls every weight to 0 at each step: more of it than of gradient, and nothing is kept.",
    more: "AdamW's decay is multiplied by the learning rate: 0.05 to 0.4 are published. SGD's is part of the gradient: 1e-5 to 5e-4. Reported above 0.5 and 0.01.",
    example: { write: { [usualAdam]: "optimizer adamw(lr: 1.5e-4 per 256, betas: (0.9, 0.95), weight_decay: 5)" } },
    recipe(recipe) {
      const [adam, plain] = [valuesOf(recipe.optimizer, adamw), valuesOf(recipe.optimizer, sgd)];
      const written = adam?.weight_decay ?? plain?.weight_decay ?? 0;
      const decay = typeof written === "number" ? written : Math.max(written.from, written.to);
      const message = decay > (adam ? 0.5 : 0.01) ? `a weight decay of ${decay}` : null;
      const help = adam ? "0.05 is usual with AdamW; at most 0.4 is published" : "1e-4 is usual with SGD";
      return optimizerRemark(recipe, "weight_decay", message, help);
    },
  },
  {
    code: "lint/swapped-betas",
    category: "optimization",
    severity: "warning",
    source:
      "Kingma and Ba, Adam, ICLR 2015, algorithm 1; Reddi et al., On the Convergence of Adam and Beyond, ICLR 2018",
    title: "The mean of the gradient moves more slowly than that of its square.",
    reason: "The step is divided by a newer gradient than the one it follows, and jumps whenever gradients change.",
    more: "The first beta is that of the gradient, the second that of its square: (0.9, 0.95) in pre-training, (0.9, 0.999) in fine-tuning.",
    example: {
      write: { [usualAdam]: "optimizer adamw(lr: 1.5e-4 per 256, betas: (0.95, 0.9), weight_decay: 0.05)" },
    },
    recipe(recipe) {
      const [first = 0, second = 1] = valuesOf(recipe.optimizer, adamw)?.betas ?? [];
      const message = first > second ? `the first beta, ${first}, is above the second, ${second}` : null;
      return optimizerRemark(recipe, "betas", message, `perhaps they are swapped: \`(${second}, ${first})\``);
    },
  },
  {
    code: "lint/large-epsilon",
    category: "optimization",
    severity: "warning",
    source: "Choi et al., On Empirical Comparisons of Optimizers for Deep Learning, arXiv 1910.05446, section 4",
    title: "Adam's epsilon is larger than most gradients.",
    reason: "Where epsilon outweighs the mean square, AdamW is plain momentum with a tiny learning rate.",
    more: "The usual one is 1e-8. Reported above 1e-4.",
    example: { write: { [usualAdam]: "optimizer adamw(lr: 1.5e-4 per 256, epsilon: 0.1)" } },
    recipe(recipe) {
      const epsilon = valuesOf(recipe.optimizer, adamw)?.epsilon ?? 0;
      const message = epsilon > 1e-4 ? `an epsilon of ${rateText(epsilon)}` : null;
      return optimizerRemark(recipe, "epsilon", message, "leave it out: it is 1e-8 then");
    },
  },
  {
    code: "lint/long-warmup",
    category: "optimization",
    severity: "warning",
    source: "He et al., CVPR 2022, table 8 (40 of 800 epochs)",
    title: "The warm-up takes more than half of the training.",
    reason: "Most of the training would run below the learning rate that is written.",
    more: "A tenth or less is usual: 40 of 800 epochs in masked autoencoders.",
    example: { write: { [usualSchedule]: "schedule  cosine(warmup: 700 epochs)" } },
    recipe: longWarmup,
  },
  {
    code: "lint/no-warmup",
    category: "optimization",
    severity: "info",
    source:
      "Liu et al., On the Variance of the Adaptive Learning Rate and Beyond, ICLR 2020; Xiong et al., On Layer Normalization in the Transformer Architecture, ICML 2020",
    title: "AdamW starts at the peak of its learning rate.",
    reason: "Adam's first means stand on a few gradients, and steps by them may spoil what a transformer begins with.",
    more: "Published masked autoencoders warm up for 10 to 40 epochs. A small model may do without.",
    example: { write: { [usualSchedule]: "schedule  cosine" } },
    recipe: noWarmup,
  },
  {
    code: "lint/late-step",
    category: "optimization",
    severity: "warning",
    source: "He et al., Deep Residual Learning, CVPR 2016, section 3.4 (falls within the training)",
    title: "The learning rate's first fall lies beyond the end of the training.",
    reason: "The schedule changes nothing: the rate stays at its peak to the end, where it should fall.",
    more: "Every third of the training is usual.",
    example: {
      write: { [usualSchedule]: "schedule  step(every: 1000 epochs, warmup: 40 epochs)" },
      mended: { [usualSchedule]: "schedule  step(every: 250 epochs, warmup: 40 epochs)" },
    },
    recipe: lateStep,
  },
  {
    code: "lint/idle-step",
    category: "optimization",
    severity: "warning",
    source: "own definition",
    title: "The steps of the learning rate do not fall.",
    reason: "A reader takes every schedule for one that changes the rate.",
    more: "For a constant rate there is the schedule `constant`.",
    example: {
      write: { [usualSchedule]: "schedule  step(every: 250 epochs, factor: 1, warmup: 40 epochs)" },
      mended: { [usualSchedule]: "schedule  step(every: 250 epochs, factor: 0.1, warmup: 40 epochs)" },
    },
    recipe: ({ schedule }) =>
      valuesOf(schedule, step)?.factor === 1
        ? [{ places: [at(schedule, "factor")], message: "a factor of 1 changes nothing", help: "0.1 is usual" }]
        : [],
  },
  {
    code: "lint/high-floor",
    category: "optimization",
    severity: "warning",
    source: "Loshchilov and Hutter, SGDR, ICLR 2017; He et al., CVPR 2022 (a floor of 0)",
    title: "The cosine ends far above 0.",
    reason: "What training gains at its end it gains by small steps.",
    more: "Published floors are 0 to 10 % of the peak. Reported from 50 %.",
    example: { write: { [usualSchedule]: "schedule  cosine(warmup: 40 epochs, floor: 80%)" } },
    recipe({ schedule }) {
      const floor = valuesOf(schedule, cosine)?.floor ?? 0;
      if (floor < 0.5) return [];
      const message = `the learning rate ends at ${shareText(floor)} of its peak`;
      return [{ places: [at(schedule, "floor")], message, help: "leave it out, or write 10% or less" }];
    },
  },
  {
    code: "lint/constant-rate",
    category: "optimization",
    severity: "info",
    source: "Loshchilov and Hutter, SGDR, ICLR 2017; He et al., CVPR 2022, table 8",
    title: "The learning rate stays at its peak for many epochs.",
    reason: "What training gains at its end it gains by small steps.",
    more: "Masked autoencoders let the rate fall along half a cosine. Said of trainings of 100 epochs or more.",
    example: { write: { [usualSchedule]: "schedule  constant(warmup: 40 epochs)" } },
    recipe(recipe) {
      const epochs = settingOf(recipe, "epochs") ?? 0;
      if (!valuesOf(recipe.schedule, constant) || epochs < 100) return [];
      const message = `the learning rate is the same for ${epochs} epochs`;
      return [{ places: [{ block: recipe.schedule }, { setting: "epochs" }], message, help: "use `cosine`" }];
    },
  },
  {
    code: "lint/tight-clip",
    category: "optimization",
    severity: "warning",
    source: "Wei et al., MaskFeat, CVPR 2022, appendix (0.02 is the smallest published for masked models)",
    title: "Gradients are clipped to next to nothing.",
    reason: "With every gradient cut to the same tiny length, only its direction is left, and SGD stands still.",
    more: "Published norms are 0.02 to 5. Reported below 0.005.",
    example: {
      write: { [usualBatch]: "batch     4096\n  clip      0.0001" },
      mended: { [usualBatch]: "batch     4096\n  clip      1" },
    },
    recipe(recipe) {
      const clip = settingOf(recipe, "clip");
      if (clip === null || clip >= 0.005) return [];
      return [
        {
          places: [{ setting: "clip" }],
          message: `gradients are clipped to a norm of ${rateText(clip)}`,
          help: "1 to 3 is usual",
        },
      ];
    },
  },
  {
    code: "lint/idle-clip",
    category: "optimization",
    severity: "warning",
    source: "Pascanu et al., On the Difficulty of Training Recurrent Neural Networks, ICML 2013, section 3.2",
    title: "Gradients are clipped at a norm that they never reach.",
    reason: "A reader takes the training to be safe from jumps, and it is not.",
    more: "Norms of gradients of masked autoencoders are 0.1 to 10. Reported above 100.",
    example: {
      write: { [usualBatch]: "batch     4096\n  clip      1000" },
      mended: { [usualBatch]: "batch     4096\n  clip      1" },
    },
    recipe(recipe) {
      const clip = settingOf(recipe, "clip");
      if (clip === null || clip <= 100) return [];
      return [
        {
          places: [{ setting: "clip" }],
          message: `gradients are clipped at a norm of ${clip}`,
          help: "1 to 3 is usual",
        },
      ];
    },
  },
  {
    code: "lint/unfinished-course",
    category: "optimization",
    severity: "warning",
    source: "Wang et al., Hard Patches Mining for Masked Image Modeling, CVPR 2023 (courses over the whole training)",
    title: "A value that moves during training is still on its way at the end.",
    reason: "What is written as the end of the course is never trained with.",
    more: "`over 50%` is half of the training, however long that is.",
    example: {
      write: { "mask    random(ratio: 75%)": "mask    random(ratio: 50% -> 75% over 2000 epochs)" },
      mended: { "mask    random(ratio: 75%)": "mask    random(ratio: 50% -> 75% over 50%)" },
    },
    recipe: unfinished,
  },
];

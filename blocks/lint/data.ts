/** Lints of the data, of how features are judged by it, and of what only the data's size can tell. */

import type { Bound } from "../block.js";
import { folder, idx, npy } from "../dataset/index.js";
import type { DurationValue } from "../params.js";
import { sayingJudged } from "../probe/index.js";
import { asKind } from "../registry.js";
import { counted, grouped } from "../wording.js";
import {
  at,
  type DataFacts,
  type Lint,
  type LintRecipe,
  type Place,
  type Remark,
  settingOf,
  shareText,
  valuesOf,
} from "./contract.js";

const usualData = 'data      folder("data/train", test: "data/val")';
const usualProbe = "evaluate  knn every 100 epochs";

/** `./data/train/` and `data/train` are one folder. */
const plainPath = (path: string): string =>
  path
    .split("/")
    .filter((part) => part !== "" && part !== ".")
    .join("/");

interface Splits {
  readonly train: string;
  readonly test: string | null;
  /** Parameter of the test data. */
  readonly value: string;
  readonly holdout: number;
  /** Whether the training and the test images are known to have labels; null: only the data can tell. */
  readonly labelled: boolean | null;
}

/** Where a recipe's images come from; null: a dataset of a project's own. */
function splitsOf({ data }: Pick<LintRecipe, "data">): Splits | null {
  const ofFolder = valuesOf(data, folder);
  if (ofFolder) {
    return { train: ofFolder.path, test: ofFolder.test, value: "test", holdout: ofFolder.holdout, labelled: null };
  }
  const arrays = valuesOf(data, idx) ?? valuesOf(data, npy);
  if (!arrays) return null;
  const labelled = arrays.labels !== null && (arrays.test_images === null || arrays.test_labels !== null);
  return { train: arrays.images, test: arrays.test_images, value: "test_images", holdout: 0, labelled };
}

function sameSplits(recipe: LintRecipe): readonly Remark[] {
  const splits = splitsOf(recipe);
  if (!splits?.test || plainPath(splits.test) !== plainPath(splits.train)) return [];
  return [
    {
      places: [at(recipe.data, splits.value)],
      message: `the test samples are the training samples, \`${splits.train}\``,
      help: "name other samples, or keep some apart: `holdout: 10%` of a folder",
    },
  ];
}

/** Probes that a recipe runs on test images. */
const testing = ({ evaluate }: LintRecipe): readonly Bound[] =>
  evaluate.flatMap(({ use }) => (asKind("probe", use.definition)?.needs === "images" ? [] : [use]));

function probesWithoutTest(recipe: LintRecipe): readonly Remark[] {
  const splits = splitsOf(recipe);
  const [probe] = testing(recipe);
  if (!splits || !probe || splits.test !== null || splits.holdout > 0) return [];
  return [
    {
      places: [{ block: probe }, { block: recipe.data }],
      message: `\`${probe.definition.name}\` needs test samples, and the data names none`,
      help: "name some in `data`, or keep some apart: `holdout: 10%` of a folder",
    },
  ];
}

function probesWithoutLabels(recipe: LintRecipe): readonly Remark[] {
  // Maps of places and boxes are no labels of samples.
  const [probe] = testing(recipe).filter(({ definition }) => {
    const own = asKind("probe", definition);
    return own !== undefined && sayingJudged(own) === "classes";
  });
  // The labels of samples come from any of their inputs.
  const all = [recipe.data, ...(recipe.beside ?? [])];
  if (!probe || all.some((data) => splitsOf({ data })?.labelled !== false)) return [];
  return [
    {
      places: [{ block: probe }, { block: recipe.data }],
      message: `\`${probe.definition.name}\` needs labels, and the data names none`,
      help: "name the files with the labels in `data`, or use the probe `rank`",
    },
  ];
}

/** Probes by how often they are run. */
const oftenRemarks = (
  recipe: LintRecipe,
  isOdd: (every: DurationValue, total: number | null) => boolean,
  say: (every: DurationValue) => string,
  help: string,
): readonly Remark[] =>
  recipe.evaluate.flatMap(({ use, every }): readonly Remark[] => {
    const total = every && settingOf(recipe, every.unit);
    if (!every || !isOdd(every, total)) return [];
    return [{ places: [{ block: use }, { setting: every.unit }], message: say(every), help }];
  });

/** Steps of a pass over the data. */
const stepsPerEpoch = (recipe: LintRecipe, { samples }: DataFacts): number =>
  Math.floor((samples * (settingOf(recipe, "repeat") ?? 1)) / (settingOf(recipe, "batch") ?? 1));

const whole = (recipe: LintRecipe, data: DataFacts): number | null => {
  const epochs = settingOf(recipe, "epochs");
  return settingOf(recipe, "steps") ?? (epochs === null ? null : epochs * stepsPerEpoch(recipe, data));
};

/** The length of a duration in steps, by the size of the data. */
const stepsOf = ({ amount, unit }: DurationValue, recipe: LintRecipe, data: DataFacts): number =>
  unit === "steps" ? amount : amount * stepsPerEpoch(recipe, data);

export const dataLints: readonly Lint[] = [
  {
    code: "lint/large-holdout",
    category: "data",
    severity: "warning",
    source: "Hastie et al., The Elements of Statistical Learning, section 7.2",
    title: "More samples are kept apart than trained on.",
    reason: "What is kept apart is lost to training, and a few thousand samples judge features well.",
    more: "5 % to 20 % is usual. Reported above half.",
    example: {
      write: { [usualData]: 'data      folder("data/train", holdout: 80%)' },
      mended: { [usualData]: 'data      folder("data/train", holdout: 10%)' },
    },
    recipe(recipe) {
      const { holdout } = splitsOf(recipe) ?? { holdout: 0 };
      if (holdout <= 0.5) return [];
      return [
        {
          places: [at(recipe.data, "holdout")],
          message: `${shareText(holdout)} of the samples are kept apart`,
          help: "10% is usual",
        },
      ];
    },
  },
  {
    code: "lint/tested-on-training",
    category: "evaluation",
    severity: "warning",
    source: "Kaufman et al., Leakage in Data Mining, KDD 2011",
    title: "The test samples are the training samples.",
    reason: "Scores on samples that were trained on say nothing of others.",
    more: "`holdout` keeps a share of a folder's files apart.",
    example: { write: { [usualData]: 'data      folder("data/train", test: "./data/train")' } },
    recipe: sameSplits,
  },
  {
    code: "lint/probe-without-test",
    category: "evaluation",
    severity: "warning",
    source: "He et al., CVPR 2022, section 4 (judged on the validation images)",
    title: "A probe needs test samples, and the data names none.",
    reason: "Training would run to where the probe begins, and stop there.",
    more: "`test` of a folder names others; `holdout` keeps some of its own apart.",
    example: { write: { [usualData]: 'data      folder("data/train")' } },
    recipe: probesWithoutTest,
  },
  {
    code: "lint/probe-without-labels",
    category: "evaluation",
    severity: "warning",
    source: "Caron et al., DINO, ICCV 2021, section 4.1 (k-NN on labels)",
    title: "A probe needs labels, and the data names none.",
    reason: "Training would run to where the probe begins, and stop there.",
    more: "The effective `rank` of features needs no labels.",
    example: {
      write: { [usualData]: 'data      npy(images: "train.npy", test_images: "test.npy")' },
      mended: {
        [usualData]:
          'data      npy(images: "train.npy", labels: "train-labels.npy", test_images: "test.npy", test_labels: "test-labels.npy")',
      },
    },
    recipe: probesWithoutLabels,
  },
  {
    code: "lint/rare-probe",
    category: "evaluation",
    severity: "warning",
    source: "own definition",
    title: "A probe is first due after the end of the training.",
    reason: "A reader takes `every` for a curve, and there is one point at most.",
    more: "Every tenth of the training makes a curve.",
    example: { write: { [usualProbe]: "evaluate  knn every 1000 epochs" } },
    recipe: (recipe) =>
      oftenRemarks(
        recipe,
        ({ amount }, total) => total !== null && amount > total,
        ({ amount, unit }) => `the probe is first due after ${amount} ${unit}`,
        "let it run within the training: every tenth of it makes a curve",
      ),
  },
  {
    code: "lint/frequent-probe",
    category: "evaluation",
    severity: "warning",
    source: "own definition",
    title: "A probe runs every few steps.",
    reason: "A probe encodes all training samples: it takes longer than the steps between two of them.",
    more: "Reported below 10 steps.",
    example: { write: { [usualProbe]: "evaluate  knn every 1 steps" } },
    recipe: (recipe) =>
      oftenRemarks(
        recipe,
        ({ amount, unit }) => unit === "steps" && amount < 10,
        ({ amount }) => `the probe runs every ${counted(amount, "step")}`,
        "let it run every epoch or more rarely",
      ),
  },
  {
    code: "lint/batch-above-data",
    category: "data",
    severity: "warning",
    source: "He et al., CVPR 2022, table 8 (a batch is 0.3 % of the data)",
    title: "A batch takes as many samples as there are, or nearly.",
    reason: "An epoch is one step or none: what does not fill a batch is left out.",
    more: "Needs the data: `mae check --data`. Reported where fewer than four batches make an epoch.",
    example: {
      write: { "batch     4096": "batch     4096" },
      mended: { "batch     4096": "batch     64" },
      data: { samples: 3000, testSamples: 300, classes: 10 },
    },
    data(recipe, { samples }) {
      const batch = settingOf(recipe, "batch") ?? 1;
      if (batch * 4 <= samples) return [];
      return [
        {
          places: [{ setting: "batch" }, { block: recipe.data }],
          message: `a batch of ${grouped(batch)} of ${grouped(samples)} samples`,
          help: `use a batch of ${Math.max(1, 2 ** Math.floor(Math.log2(Math.max(1, samples / 16))))}, or more data`,
        },
      ];
    },
  },
  {
    code: "lint/warmup-above-training",
    category: "optimization",
    severity: "warning",
    source: "He et al., CVPR 2022, table 8 (40 of 800 epochs)",
    title: "The warm-up takes most of the training, as long as that is with this data.",
    reason: "Most of the training would run below the learning rate that is written.",
    more: "Needs the data: `mae check --data`, where the warm-up is in steps and the training in epochs, or the other way round.",
    example: {
      write: { "schedule  cosine(warmup: 40 epochs)": "schedule  cosine(warmup: 20000 steps)" },
      mended: { "schedule  cosine(warmup: 40 epochs)": "schedule  cosine(warmup: 2000 steps)" },
      data: { samples: 60000, testSamples: 10000, classes: 10 },
    },
    data(recipe, facts) {
      const warmup = recipe.schedule.values.warmup as DurationValue | undefined;
      const total = whole(recipe, facts);
      // In one unit it is judged without the data.
      if (!warmup || !total || settingOf(recipe, warmup.unit) !== null) return [];
      const steps = stepsOf(warmup, recipe, facts);
      if (steps <= total / 2) return [];
      return [
        {
          places: [at(recipe.schedule, "warmup"), { block: recipe.data }],
          message: `\`warmup\` takes ${grouped(steps)} of ${grouped(total)} steps`,
          help: `a tenth is usual: \`${Math.max(1, Math.round(total / 10))} steps\``,
        },
      ];
    },
  },
  {
    code: "lint/few-classes",
    category: "evaluation",
    severity: "warning",
    source: "own definition",
    title: "A probe has one class to tell apart.",
    reason: "Whatever the features are, the score is 100 %.",
    more: "Needs the data: `mae check --data`. Often a folder that lies one level too high or too low.",
    example: { write: { [usualData]: usualData }, data: { samples: 60000, testSamples: 10000, classes: 1 } },
    data(recipe, { classes }) {
      const [probe] = testing(recipe);
      if (!probe || classes !== 1) return [];
      const places: [Place, ...Place[]] = [{ block: recipe.data }, { block: probe }];
      return [{ places, message: "the data has one class", help: "name the folder whose sub-folders are the classes" }];
    },
  },
  {
    code: "lint/few-test-images",
    category: "evaluation",
    severity: "warning",
    source: "Wilson, Probable Inference, the Law of Succession, and Statistical Inference, JASA 1927",
    title: "A probe is judged on a handful of test samples.",
    reason: "Of so few samples, one more or less that is right changes the score by whole points.",
    more: "Needs the data: `mae check --data`. With 100 samples a score of 90 % is one between 82 % and 95 %. Reported below 100.",
    example: { write: { [usualData]: usualData }, data: { samples: 60000, testSamples: 20, classes: 10 } },
    data(recipe, { testSamples }) {
      const [probe] = testing(recipe);
      if (!probe || testSamples === null || testSamples >= 100) return [];
      const places: [Place, ...Place[]] = [{ block: recipe.data }, { block: probe }];
      return [{ places, message: `there are ${counted(testSamples, "test sample")}`, help: "keep more samples apart" }];
    },
  },
];

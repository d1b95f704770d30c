/** Lints of fine-tuning: what is frozen, left out at random, and averaged. */

import {
  colorJitter,
  gaussianBlur,
  grayscale,
  normalize,
  randAugment,
  randomErasing,
  solarize,
} from "../augment/index.js";
import type { Bound } from "../block.js";
import { prototypes } from "../head/index.js";
import { mustBe } from "../registry.js";
import {
  at,
  type DataFacts,
  inSlot,
  type Lint,
  type LintRecipe,
  type Place,
  type Remark,
  settingOf,
  valuesOf,
} from "./contract.js";

const usualBatch = "batch     4096";
const usualEncoder = "vit(depth: 12, width: 768, heads: 12)";

/** Blocks of the deepest encoder, and the value that says so. */
function depthOf(recipe: LintRecipe): { readonly depth: number; readonly places: readonly Place[] } {
  const encoders = inSlot(recipe.model, "encoder");
  const depths = encoders.map((use) => mustBe("encoder", use.definition).layers(use.values));
  const depth = Math.max(0, ...depths);
  const deepest = encoders[depths.indexOf(depth)];
  return { depth, places: deepest ? [{ block: deepest }] : [] };
}

function frozenBeyond(recipe: LintRecipe): readonly Remark[] {
  const frozen = settingOf(recipe, "freeze_blocks");
  const { depth, places } = depthOf(recipe);
  if (frozen === null || frozen <= depth) return [];
  return [
    {
      places: [{ setting: "freeze_blocks" }, ...places],
      message: `${frozen} blocks are frozen, and the encoder has ${depth}`,
      help: `write fewer than ${depth}, or \`freeze encoder\` where none of it is to be trained`,
    },
  ];
}

function nothingHeld(recipe: LintRecipe): readonly Remark[] {
  const isHeld = inSlot(recipe.model, "head").some((use) => valuesOf(use, prototypes) !== null);
  if (recipe.settings.freeze_last?.value == null || isHeld) return [];
  return [
    {
      places: [{ setting: "freeze_last" }],
      message: "prototypes stay as they are for a while, and the model has none",
      help: "remove it, or use `head prototypes`",
    },
  ];
}

function idleDrops(recipe: LintRecipe): readonly Remark[] {
  const whole = recipe.settings.freeze?.value === "encoder";
  const frozen = settingOf(recipe, "freeze_blocks") ?? 0;
  return inSlot(recipe.model, "encoder").flatMap((use): readonly Remark[] => {
    const encoder = mustBe("encoder", use.definition);
    if ((encoder.drops?.(use.values) ?? []).length === 0) return [];
    if (!whole && frozen < encoder.layers(use.values)) return [];
    return [
      {
        places: [at(use, "drop_path"), { setting: whole ? "freeze" : "freeze_blocks" }],
        message: "parts of an encoder are left out at random, and none of its blocks is trained",
        help: "remove `drop_path`: a frozen encoder gives its best features whole",
      },
    ];
  });
}

/** Colours are those of files, and noise has the scale of what it stands among. */
function augmentOrder({ augment }: LintRecipe): readonly Remark[] {
  const at = (block: unknown): number => augment.findIndex(({ definition }) => definition === block);
  const normal = at(normalize);
  if (normal < 0) return [];
  const late = [randAugment, colorJitter, gaussianBlur, grayscale, solarize].map(at).filter((i) => i > normal);
  const noisy = augment.findIndex((use) => valuesOf(use, randomErasing)?.with === "noise");
  const early = noisy >= 0 && noisy < normal ? [noisy] : [];
  return [...late, ...early].map((i): Remark => {
    const use = augment[i] as Bound;
    const message = `\`${use.definition.name}\` stands ${i > normal ? "after" : "before"} \`normalize\``;
    return {
      places: [{ block: use }, { block: augment[normal] as Bound }],
      message,
      help: `write it ${i > normal ? "before" : "after"} \`normalize\``,
    };
  });
}

/** What of its start an average may still hold at the end. */
const mostLeft = 0.1;

function slowAverage(recipe: LintRecipe, steps: number | null): readonly Remark[] {
  const average = settingOf(recipe, "average");
  if (average === null || steps === null || average ** steps <= mostLeft) return [];
  const fitting = Number((1 - 10 / steps).toPrecision(2));
  return [
    {
      places: [{ setting: "average" }, { setting: settingOf(recipe, "steps") === null ? "epochs" : "steps" }],
      message: `after ${steps} steps ${Math.round(100 * average ** steps)} % of the average is still what training began with`,
      help: steps > 20 ? `write \`average ${fitting}\`, or train for longer` : "remove it, or train for longer",
    },
  ];
}

/** Steps of a recipe, where the data is known. */
function stepsOn(recipe: LintRecipe, { samples }: DataFacts): number | null {
  const [epochs, batch] = [settingOf(recipe, "epochs"), settingOf(recipe, "batch") ?? 1];
  return epochs === null ? null : epochs * Math.floor((samples * (settingOf(recipe, "repeat") ?? 1)) / batch);
}

export const fineTuningLints: readonly Lint[] = [
  {
    code: "lint/frozen-beyond-depth",
    category: "optimization",
    severity: "warning",
    source: "own definition",
    title: "More blocks are frozen than the encoder has.",
    reason: "A reader takes some blocks to be trained, and none is.",
    more: "Partial fine-tuning of ViT-L trains its last 1 to 18 blocks: `freeze_blocks` 23 to 6.",
    example: {
      write: { [usualBatch]: `${usualBatch}\n  freeze_blocks 20` },
      mended: { [usualBatch]: `${usualBatch}\n  freeze_blocks 8` },
    },
    recipe: frozenBeyond,
  },
  {
    code: "lint/nothing-held",
    category: "optimization",
    severity: "warning",
    source: "Caron et al., Emerging Properties in Self-Supervised Vision Transformers (DINO), ICCV 2021",
    title: "Prototypes are to stay as they are for a while, and the model has none.",
    reason: "A reader takes something to stay as it is, and all is trained from the first step on.",
    more: "`freeze_last` is of heads that end with prototypes, as those of DINO and iBOT do. What sees an input is left as it is by `freeze` and `freeze_blocks`.",
    example: {
      write: { [usualBatch]: `${usualBatch}\n  freeze_last 1 epochs` },
      mended: { [usualBatch]: usualBatch },
    },
    recipe: nothingHeld,
  },
  {
    code: "lint/idle-drop-path",
    category: "optimization",
    severity: "warning",
    source: "Huang et al., Deep Networks with Stochastic Depth, ECCV 2016 (a regulariser of what is trained)",
    title: "Parts of a frozen encoder are left out at random.",
    reason: "Nothing that is trained learns to do without them: the head is fed worse features, and that is all.",
    more: "Drop path belongs to encoders that are trained.",
    example: {
      write: {
        [usualEncoder]: usualEncoder.replace(")", ", drop_path: 10%)"),
        [usualBatch]: `${usualBatch}\n  freeze    encoder`,
      },
      mended: { [usualBatch]: `${usualBatch}\n  freeze    encoder` },
    },
    recipe: idleDrops,
  },
  {
    code: "lint/augment-order",
    category: "data",
    severity: "warning",
    source: "timm, transforms_factory (RandAugment and jitter, then normalisation, then random erasing)",
    title: "Colours are changed after normalisation, or noise is put in before it.",
    reason:
      "Changes of colours are of the bytes of files, and the noise of random erasing has deviation 1, as normalised pixels have.",
    more: "A recipe that changes colours after `normalize` ends with an error when it reads its first image. Noise before `normalize` is several times too large.",
    example: {
      write: { "normalize(imagenet)": "normalize(imagenet), rand_augment(9)" },
      mended: { "normalize(imagenet)": "rand_augment(9), normalize(imagenet)" },
    },
    recipe: augmentOrder,
  },
  {
    code: "lint/slow-average",
    category: "optimization",
    severity: "warning",
    source: "Tarvainen and Valpola, Mean teachers are better role models, NeurIPS 2017, section 3.1",
    title: "The running average of the weights never gets away from its start.",
    reason: "What is judged and exported is the average, which then holds weights from before training.",
    more: "A share of 0.9999 suits hundreds of thousands of steps, 0.99 a few thousand. Reported where more than a tenth of the start is left.",
    example: {
      write: {
        "epochs    800": "steps     1000\n  average   0.9999",
        "warmup: 40 epochs": "warmup: 100 steps",
        " every 100 epochs": "",
      },
      mended: {
        "epochs    800": "steps     1000\n  average   0.99",
        "warmup: 40 epochs": "warmup: 100 steps",
        " every 100 epochs": "",
      },
    },
    recipe: (recipe) => slowAverage(recipe, settingOf(recipe, "steps")),
    data: (recipe, facts) => slowAverage(recipe, stepsOn(recipe, facts)),
  },
];

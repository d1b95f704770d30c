/** Lints of how samples are prepared for training. */

import { hasPictures, pictureOf } from "../arrays.js";
import { centerCrop, horizontalFlip, normalize, randomResizedCrop, resize, verticalFlip } from "../augment/index.js";
import type { Bound } from "../block.js";
import { npy } from "../dataset/index.js";
import { arrayOfLines, at, inSlot, type Lint, type LintRecipe, type Remark, shareText, valuesOf } from "./contract.js";

const usualAugment = "augment   random_resized_crop(scale: 20%..100%), horizontal_flip, normalize(imagenet)";

/** The usual model of small grey images. */
const digits = {
  "input   image(size: 224x224, channels: 3)": "input   image(size: 28x28, channels: 1)",
  "tokens  patch(size: 16x16)": "tokens  patch(size: 7x7)",
};

/** The uses of one augmentation. */
const usesOf = ({ augment }: LintRecipe, definition: Parameters<typeof valuesOf>[1]): readonly Bound[] =>
  augment.filter((use) => valuesOf(use, definition) !== null);

function unnormalized(recipe: LintRecipe): readonly Remark[] {
  const array = arrayOfLines(recipe.model);
  // More channels than colours have are classes, or what else is no light; numbers of any size may be normalised already.
  if (!array || !pictureOf(array) || array.channels > 4 || usesOf(recipe, normalize).length > 0) return [];
  if (valuesOf(recipe.data, npy)?.values === "any") return [];
  const last = recipe.augment.at(-1);
  return [
    {
      places: [{ block: last ?? recipe.data }],
      message: "samples are not normalised",
      help: "add `normalize(imagenet)` to `augment`, or the `mean` and `std` of your own data",
    },
  ];
}

/** A second use of what should stand once. */
function repeated(
  recipe: LintRecipe,
  definitions: readonly Parameters<typeof valuesOf>[1][],
  say: (name: string) => string,
  help: string,
) {
  return definitions.flatMap((definition): readonly Remark[] => {
    const [first, second] = usesOf(recipe, definition);
    if (!first || !second) return [];
    return [{ places: [{ block: second }, { block: first }], message: say(definition.name), help }];
  });
}

function statisticsOfBytes(recipe: LintRecipe): readonly Remark[] {
  const array = arrayOfLines(recipe.model);
  // Logarithms of sound and signals have any size.
  if (!array || !hasPictures(array)) return [];
  return usesOf(recipe, normalize).flatMap((use): readonly Remark[] => {
    const p = valuesOf(use, normalize);
    const odd = (["mean", "std"] as const).find((name) => (p?.[name] ?? []).some((value) => value > 2));
    if (!odd) return [];
    return [
      {
        places: [at(use, odd)],
        message: `\`${odd}\` is (${p?.[odd]?.join(", ")}), of values up to 255`,
        help: `pixels are 0 to 1 here: write (${p?.[odd]?.map((value) => Number((value / 255).toFixed(4))).join(", ")})`,
      },
    ];
  });
}

interface Sized {
  readonly use: Bound;
  readonly value: string;
  readonly size: readonly [number, number] | null;
}

/** The last augmentation that decides the size of a sample; null: none does. */
function lastSized({ augment }: LintRecipe): Sized | null {
  const found = augment.flatMap((use): readonly Sized[] => {
    if (valuesOf(use, randomResizedCrop)) return [{ use, value: "scale", size: null }];
    const resized = valuesOf(use, resize);
    // By the shorter side, the size depends on the image.
    if (resized) return [{ use, value: "size", size: resized.shorter === null ? resized.size : null }];
    const cropped = valuesOf(use, centerCrop);
    return cropped ? [{ use, value: "size", size: cropped.size }] : [];
  });
  return found.at(-1) ?? null;
}

function missedSize(recipe: LintRecipe): readonly Remark[] {
  const [last, array, input] = [lastSized(recipe), arrayOfLines(recipe.model), inSlot(recipe.model, "input")[0]];
  const image = array && pictureOf(array);
  if (!last?.size || !image || !input) return [];
  const [height, width] = last.size;
  if (height === image.height && width === image.width) return [];
  return [
    {
      places: [at(last.use, last.value), at(input, "size")],
      message: `samples are ${height}x${width} in the end, and the model's input is ${image.height}x${image.width}`,
      help: `write ${image.height}x${image.width}, or leave the size out: it is the input's then`,
    },
  ];
}

const isOften = (value: number, least: number, most: number): boolean => value < least || value > most;

const crops = (
  recipe: LintRecipe,
  isOdd: (p: { scale: readonly number[]; ratio: readonly number[] }) => boolean,
  value: string,
  say: (p: { scale: readonly number[]; ratio: readonly number[] }) => string,
  help: string,
) =>
  usesOf(recipe, randomResizedCrop).flatMap((use): readonly Remark[] => {
    const p = valuesOf(use, randomResizedCrop);
    return p && isOdd(p) ? [{ places: [at(use, value)], message: say(p), help }] : [];
  });

export const sampleLints: readonly Lint[] = [
  {
    code: "lint/not-normalized",
    category: "data",
    severity: "warning",
    source: "LeCun et al., Efficient BackProp, 1998, section 4.3; facebookresearch/mae, main_pretrain.py",
    title: "Samples are not normalised.",
    reason:
      "Pixels of 0 to 1 are all positive and of small spread: the first layer learns their mean before anything else.",
    more: "Statistics of the training data's channels are subtracted and divided by. A model of released weights needs those that it was trained with.",
    example: { write: { [usualAugment]: "augment   random_resized_crop(scale: 20%..100%), horizontal_flip" } },
    recipe: unnormalized,
  },
  {
    code: "lint/normalized-twice",
    category: "data",
    severity: "warning",
    source: "torchvision, transforms.Normalize",
    title: "Samples are normalised twice.",
    reason:
      "The second takes a mean away that is gone already, and leaves samples off centre and several times too wide.",
    more: "Statistics are those of pixels from 0 to 1, before anything is subtracted.",
    example: {
      write: { [usualAugment]: "augment   random_resized_crop, normalize(imagenet), normalize(imagenet)" },
    },
    recipe: (recipe) =>
      repeated(recipe, [normalize], () => "samples are normalised a second time", "keep one of the two"),
  },
  {
    code: "lint/statistics-of-bytes",
    category: "data",
    severity: "warning",
    source: "torchvision, transforms.Normalize; Caffe's ImageNet means (104, 117, 123)",
    title: "The statistics are those of pixels from 0 to 255.",
    reason: "Pixels are 0 to 1 here: less a mean of 120 they are all the same.",
    more: "Divide by 255. Reported above 2.",
    example: {
      write: {
        [usualAugment]:
          "augment   random_resized_crop, normalize(mean: (123.7, 116.3, 103.5), std: (58.4, 57.1, 57.4))",
      },
    },
    recipe: statisticsOfBytes,
  },
  {
    code: "lint/missed-size",
    category: "data",
    severity: "warning",
    source: "own definition",
    title: "Samples do not have the size of the model's input.",
    reason: "Training ends at the first image: nothing is resized silently.",
    more: "Without a size, `resize` and `center_crop` take that of the input.",
    example: {
      write: { [usualAugment]: "augment   resize(192x192), normalize(imagenet)" },
      mended: { [usualAugment]: "augment   resize(224x224), normalize(imagenet)" },
    },
    recipe: missedSize,
  },
  {
    code: "lint/cropped-twice",
    category: "data",
    severity: "warning",
    source: "He et al., CVPR 2022, section 4.1 (one random crop)",
    title: "A random part is cut from a random part.",
    reason: "The second crop is of the first: a fifth of a fifth is a twenty-fifth of the image.",
    more: "Write one crop with the scale that is meant.",
    example: {
      write: { [usualAugment]: "augment   random_resized_crop, random_resized_crop, normalize(imagenet)" },
    },
    recipe: (recipe) =>
      repeated(recipe, [randomResizedCrop], () => "a second random crop of what the first left", "keep one of the two"),
  },
  {
    code: "lint/flipped-twice",
    category: "data",
    severity: "warning",
    source: "own definition",
    title: "Samples are flipped twice along one axis.",
    reason: "Two flips by chance are one: half of the samples are mirrored either way.",
    more: "A horizontal and a vertical flip together are two things.",
    example: {
      write: { [usualAugment]: "augment   horizontal_flip, horizontal_flip, random_resized_crop, normalize(imagenet)" },
    },
    recipe: (recipe) =>
      repeated(recipe, [horizontalFlip, verticalFlip], (name) => `a second \`${name}\``, "keep one of the two"),
  },
  {
    code: "lint/tiny-crops",
    category: "data",
    severity: "warning",
    source: "He et al., CVPR 2022, appendix A.1 (20 % and more); Wei et al., MaskFeat, CVPR 2022 (50 % and more)",
    title: "Random crops may be a tiny part of the image.",
    reason:
      "A few pixels that fill the whole input have little structure that could be predicted from a quarter of it.",
    more: "Masked models crop less than contrastive ones: the mask is their augmentation. Reported below 5 %.",
    example: {
      write: { [usualAugment]: "augment   random_resized_crop(scale: 1%..100%), horizontal_flip, normalize(imagenet)" },
    },
    recipe: (recipe) =>
      crops(
        recipe,
        (p) => (p.scale[0] as number) < 0.05,
        "scale",
        (p) => `crops may be ${shareText(p.scale[0] as number)} of the image`,
        "20%..100% is that of masked autoencoders",
      ),
  },
  {
    code: "lint/distorting-crops",
    category: "data",
    severity: "warning",
    source: "Szegedy et al., Going Deeper with Convolutions, CVPR 2015, section 6 (3/4 to 4/3)",
    title: "Random crops distort what they show.",
    reason: "Shapes that are stretched more than twofold do not occur in the images that features are for.",
    more: "Reported where width / height may be below 0.4 or above 2.5.",
    example: {
      write: { [usualAugment]: "augment   random_resized_crop(ratio: 0.1..10), horizontal_flip, normalize(imagenet)" },
    },
    recipe: (recipe) =>
      crops(
        recipe,
        (p) => p.ratio.some((ratio) => isOften(ratio, 0.4, 2.5)),
        "ratio",
        (p) => `crops of width / height from ${p.ratio[0]} to ${p.ratio[1]}`,
        "leave it out: it is 0.75..1.3333 then",
      ),
  },
  {
    code: "lint/mirrored-digits",
    category: "data",
    severity: "warning",
    source: "Cubuk et al., AutoAugment, CVPR 2019 (learned for digits: no flips); Simard et al., ICDAR 2003",
    title: "Digits are mirrored.",
    reason: "A mirrored digit is no digit: the features learn not to tell some of them apart.",
    more: "Said of data that is normalised by the statistics of MNIST. Clothes, faces and scenes may be mirrored.",
    example: {
      write: { ...digits, [usualAugment]: "augment   horizontal_flip, normalize(mnist)" },
      mended: { ...digits, [usualAugment]: "augment   normalize(mnist)" },
    },
    recipe(recipe) {
      const [flip] = [...usesOf(recipe, horizontalFlip), ...usesOf(recipe, verticalFlip)];
      const named = usesOf(recipe, normalize).find((use) => valuesOf(use, normalize)?.statistics === "mnist");
      if (!flip || !named) return [];
      const message = "digits are mirrored";
      return [{ places: [{ block: flip }, { block: named }], message, help: `remove \`${flip.definition.name}\`` }];
    },
  },
  {
    code: "lint/coarse-resampling",
    category: "data",
    severity: "warning",
    source: "Parmar et al., On Aliased Resizing and Surprising Subtleties in GAN Evaluation, CVPR 2022",
    title: "Photographs are resized by copying pixels.",
    reason: "Copied pixels have edges that the image has not, and masked models learn to predict them.",
    more: "`nearest` is for label maps and pixel art. Masked autoencoders resample by `bicubic`.",
    example: {
      write: { [usualAugment]: "augment   random_resized_crop(filter: nearest), horizontal_flip, normalize(imagenet)" },
    },
    recipe: ({ augment }) =>
      augment
        .filter((use) => use.values.filter === "nearest")
        .map((use) => ({
          places: [at(use, "filter")],
          message: `\`${use.definition.name}\` copies pixels`,
          help: "leave the filter out: it is `bicubic` then",
        })),
  },
];

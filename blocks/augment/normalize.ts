/** Normalisation by channel. */

import { choice, optional, reals, type ValuesOf } from "../params.js";
import { counted } from "../wording.js";
import { type AugmentContext, defineAugment } from "./contract.js";

interface Statistics {
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Published statistics, on values in [0, 1]. */
const published = {
  imagenet: { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  mnist: { mean: [0.1307], std: [0.3081] },
  fashion_mnist: { mean: [0.286], std: [0.353] },
} satisfies Readonly<Record<string, Statistics>>;

const numbersText = (numbers: readonly number[]): string => `(${numbers.join(", ")})`;

const words = (name: keyof typeof published, what: string): string =>
  `${what}: mean ${numbersText(published[name].mean)}, std ${numbersText(published[name].std)}.`;

const params = {
  statistics: optional(
    choice({
      options: {
        imagenet: words("imagenet", "ImageNet, red green blue"),
        mnist: words("mnist", "MNIST, grey"),
        fashion_mnist: words("fashion_mnist", "Fashion-MNIST, grey"),
      },
      doc: "Published statistics of a dataset; write this, or `mean` and `std`.",
    }),
  ),
  mean: optional(reals({ doc: "Mean of each channel, on values in [0, 1]." })),
  std: optional(reals({ min: 0, doc: "Standard deviation of each channel, on values in [0, 1]; above 0." })),
};

type Values = ValuesOf<typeof params>;

/** The numbers meant, or null where the spec gives none or too many. */
function chosen({ statistics, mean, std }: Values): Statistics | null {
  if (statistics !== null) return mean === null && std === null ? published[statistics] : null;
  return mean !== null && std !== null ? { mean, std } : null;
}

/** The counts of numbers that differ from the number of channels. */
const wrongCounts = (p: Values, { array }: AugmentContext): readonly number[] => {
  const statistics = chosen(p);
  if (statistics === null) return [];
  return [statistics.mean.length, statistics.std.length].filter((count) => count !== array.channels);
};

export const normalize = defineAugment({
  name: "normalize",
  summary: "Subtracts each channel's mean and divides by its standard deviation.",
  source: "own definition; statistics as published with the datasets' usual recipes",
  since: "0.1",
  changes: "channels",
  params,
  positional: "statistics",
  requires: [
    {
      name: "one-source",
      at: null,
      doc: "Either `statistics`, or both `mean` and `std`, are written.",
      holds: (p) => chosen(p) !== null,
      say: ({ statistics }) =>
        statistics === null
          ? "`normalize` needs a `mean` and a `std`, or the name of published statistics"
          : `the statistics of \`${statistics}\` already say \`mean\` and \`std\``,
      help: () => "write `normalize(imagenet)`, or `normalize(mean: (0.5), std: (0.25))` with one number a channel",
    },
    {
      name: "one-number-a-channel",
      at: null,
      doc: "There is one mean and one standard deviation for each channel of the input.",
      holds: (p, context) => wrongCounts(p, context).length === 0,
      say: (p, context) =>
        `\`normalize\` has ${counted(wrongCounts(p, context)[0] as number, "number")} for ${counted(context.array.channels, "channel")}`,
      help: (_, { array }) =>
        `write ${counted(array.channels, "number")} in \`mean\` and in \`std\`${array.channels === 1 ? ", as `normalize(mnist)` has" : ""}`,
    },
    {
      name: "std-above-zero",
      at: "std",
      doc: "Every standard deviation is above 0.",
      holds: (p) => p.std === null || p.std.every((std) => std > 0),
      say: (p) => `\`std\` ${numbersText(p.std ?? [])} divides by 0`,
      help: () => "a channel that never varies can have a `std` of 1",
    },
  ],
  random: false,
  plan(p) {
    const { mean, std } = chosen(p) as Statistics;
    return [{ kind: "normalize", mean, std }];
  },
});

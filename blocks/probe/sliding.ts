/** Parameters of probes that judge whole samples by windows of the model's input that lie over them: which windows, and how what they say is averaged. */

import { type ArrayShape, hasPictures, isVideo } from "../arrays.js";
import type { Bound, Requirement } from "../block.js";
import { choice, optional, type Params, ratio } from "../params.js";

/** How windows lie over a sample that is larger than the model's input. */
export interface Sliding {
  /** Share of a window's sides that the next one covers too. */
  readonly overlap: number;
  readonly weights: "constant" | "gaussian";
  /** Whether pictures are first resized to cover the input, or stay as large as they are. */
  readonly pictures: "covering" | "own";
}

const defaults = { weights: "constant", pictures: "covering" } as const;

export const slidingParams = {
  overlap: optional(
    ratio({
      max: 0.95,
      doc: "Test samples are judged whole, by windows of the input's size of which each shares this part of its sides with the next. If absent, the one part is judged that the recipe leaves of a sample.",
    }),
  ),
  weights: optional(
    choice({
      options: {
        constant: "All places of a window count alike, as in mmsegmentation and by default in MONAI.",
        gaussian: "A Gaussian of an eighth of each side around the middle, as MONAI has it, and nnU-Net much alike.",
      },
      doc: "What each place of a window counts where what several say is averaged. If absent, `constant`.",
    }),
  ),
  pictures: optional(
    choice({
      options: {
        covering: "Pictures are resized until their shorter side is the input's.",
        own: "Pictures stay as large as the recipe's fixed steps leave them.",
      },
      doc: "How large pictures are that windows lie over; volumes always stay as they are. If absent, `covering`.",
    }),
  ),
} satisfies Params;

/** What is known of the model. */
interface Reads {
  readonly arrays: readonly ArrayShape[];
}

const without = (name: "weights" | "pictures"): Requirement<Params, Reads> => ({
  name,
  at: name,
  doc: `Where windows overlap alone \`${name}\` says how.`,
  holds: (p) => p[name] === null || p.overlap !== null,
  say: () => "no `overlap` is written, so that one part of each sample is judged",
  help: () => `write \`overlap: 50%\`, or remove \`${name}\``,
});

export const slidingFits: readonly Requirement<Params, Reads>[] = [
  {
    name: "windows",
    at: "overlap",
    doc: "Windows lie over images and volumes.",
    holds: ({ overlap }, { arrays: [array] }) =>
      overlap === null || (array !== undefined && hasPictures(array) && !isVideo(array)),
    say: () => "the model reads neither images nor volumes",
    help: () => "remove `overlap`",
  },
  without("weights"),
  without("pictures"),
];

/** How windows lie over the samples that a probe judges; null: it judges one part of each. */
export const slidingOf = ({ values }: Pick<Bound, "values">): Sliding | null =>
  values.overlap === null || values.overlap === undefined
    ? null
    : {
        overlap: values.overlap as number,
        weights: (values.weights ?? defaults.weights) as Sliding["weights"],
        pictures: (values.pictures ?? defaults.pictures) as Sliding["pictures"],
      };

/** What a protocol says of it, behind the rest; empty where one part is judged. */
export function slidingWords(values: Readonly<Record<string, unknown>>): string {
  const sliding = slidingOf({ values });
  if (!sliding) return "";
  const { overlap, weights, pictures } = sliding;
  const share = Number((100 * overlap).toPrecision(4));
  return (
    `; whole samples by windows of the input's size that share ${share} % of their sides, what they say averaged ` +
    `${weights === "gaussian" ? "by a Gaussian around their middles" : "alike"}` +
    `${pictures === "own" ? ", pictures of their own size" : ""}`
  );
}

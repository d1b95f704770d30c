/** Lints of networks: encoder, decoder, heads, patches, teacher. */

import { isPicture } from "../arrays.js";
import type { Bound } from "../block.js";
import { vit as decoderVit } from "../decoder/index.js";
import { vit } from "../encoder/index.js";
import type { ScheduleValue } from "../params.js";
import { boxText, countsText, tokenCount } from "../sets.js";
import { ema } from "../teacher/index.js";
import { counted } from "../wording.js";
import {
  arrayOfLines,
  at,
  inSlot,
  type Lint,
  type LintLine,
  latticeOfLines,
  type Remark,
  valuesOf,
} from "./contract.js";

interface Transformer {
  readonly use: Bound;
  readonly values: {
    readonly depth: number;
    readonly width: number;
    readonly heads: number;
    readonly mlp_ratio: number;
  };
}

/** The transformers of a model, those in braces included: whatever takes depth, width and heads. */
const transformers = (lines: readonly LintLine[]): readonly Transformer[] =>
  lines.flatMap(({ use, inner }) => {
    const { depth, width, heads } = use.values;
    const own = [depth, width, heads].every((value) => typeof value === "number");
    return [...(own ? [{ use, values: use.values as unknown as Transformer["values"] }] : []), ...transformers(inner)];
  });

/** Weights of the attention and the perceptrons, without the norms. */
const weightsOf = ({ depth, width, mlp_ratio }: Transformer["values"]): number =>
  depth * width * width * (4 + 2 * mlp_ratio);

function heavyDecoder(lines: readonly LintLine[]): readonly Remark[] {
  const [encoder, decoder] = [inSlot(lines, "encoder")[0], inSlot(lines, "decoder")[0]];
  // A decoder of latents is kept: what it draws is what they are for.
  const isKept = inSlot(lines, "latents").length > 0;
  const [e, d] = [valuesOf(encoder, vit), valuesOf(decoder, decoderVit)];
  if (isKept || !encoder || !decoder || !e || !d || weightsOf(d) < weightsOf(e)) return [];
  const shape = (p: { depth: number; width: number }) => `${counted(p.depth, "block")} of width ${p.width}`;
  return [
    {
      places: [at(decoder, "width"), at(decoder, "depth"), at(encoder, "width"), at(encoder, "depth")],
      message: `the decoder (${shape(d)}) is as large as its encoder (${shape(e)})`,
      help: "a decoder of 1 to 8 blocks and at most two thirds of the encoder's width is usual",
    },
  ];
}

const leastHead = 8;
const widestHead = 256;

const headRemarks = (lines: readonly LintLine[], isOdd: (width: number) => boolean, help: (t: Transformer) => string) =>
  transformers(lines)
    .filter(({ values: { width, heads } }) => isOdd(width / heads))
    .map((one): Remark => {
      const { width, heads } = one.values;
      return {
        places: [at(one.use, "heads"), at(one.use, "width")],
        message: `${counted(heads, "head")} of width ${width / heads}`,
        help: help(one),
      };
    });

/** Heads of width 64 or the nearest above that divide the width. */
const usualHeads = ({ values: { width } }: Transformer): string => {
  const fitting = [64, 48, 32, 80, 96, 16, 8].find((size) => width % size === 0);
  return fitting
    ? `heads of width 64 are usual; of width ${width}, \`heads: ${width / fitting}\``
    : "heads of width 64 are usual";
};

const mostTokens = 2048;
const fewestTokens = 9;

/** Where there are far more or far fewer tokens than anybody trains with. */
function patchRemark(lines: readonly LintLine[], isOdd: (tokens: number) => boolean, help: string): readonly Remark[] {
  const [grid, array] = [latticeOfLines(lines), arrayOfLines(lines)];
  const [tokens, input] = [inSlot(lines, "tokens")[0], inSlot(lines, "input")[0]];
  if (!grid || !array || !tokens || !input || !isPicture(array) || !isOdd(tokenCount(grid))) return [];
  return [
    {
      places: [at(tokens, "size"), at(input, "size")],
      message: `patches of ${boxText(grid)} make ${countsText(grid)} = ${tokenCount(grid)} tokens`,
      help,
    },
  ];
}

const ends = (value: ScheduleValue): readonly [number, number] =>
  typeof value === "number" ? [value, value] : [value.from, value.to];

/** The moving average of a model, where its momentum is not what it should be. */
const teacherRemark = (lines: readonly LintLine[], judge: (from: number, to: number) => string | null, help: string) =>
  inSlot(lines, "teacher").flatMap((use): readonly Remark[] => {
    const p = valuesOf(use, ema);
    const message = p && judge(...ends(p.momentum));
    return message ? [{ places: [at(use, "momentum")], message, help }] : [];
  });

export const architectureLints: readonly Lint[] = [
  {
    code: "lint/heavy-decoder",
    category: "architecture",
    severity: "warning",
    source: "He et al., Masked Autoencoders Are Scalable Vision Learners, CVPR 2022, table 1 and section 3",
    title: "The decoder has as many weights as the encoder.",
    reason: "The decoder sees every token and is thrown away; what it can do the encoder need not learn.",
    more: "In masked autoencoders the decoder takes less than a tenth of the work for each token. One block is enough for fine-tuning, eight for linear probes.",
    example: {
      write: { "decoder vit(depth: 8, width: 512, heads: 16)": "decoder vit(depth: 16, width: 1024, heads: 16)" },
    },
    model: heavyDecoder,
  },
  {
    code: "lint/narrow-heads",
    category: "architecture",
    severity: "warning",
    source: "Bhojanapalli et al., Low-Rank Bottleneck in Multi-head Attention Models, ICML 2020",
    title: "The attention heads are very narrow.",
    reason: "A head of few features cannot tell tokens apart: its attention has a rank of at most its width.",
    more: "Vision transformers have heads of width 64, small ones of 16 or more. Reported below 8.",
    example: {
      write: { "encoder vit(depth: 12, width: 768, heads: 12)": "encoder vit(depth: 12, width: 768, heads: 768)" },
    },
    model: (lines) => headRemarks(lines, (width) => width < leastHead, usualHeads),
  },
  {
    code: "lint/wide-heads",
    category: "architecture",
    severity: "warning",
    source: "Vaswani et al., Attention Is All You Need, NeurIPS 2017, table 3 (A)",
    title: "The attention heads are very wide.",
    reason: "With few heads each token attends to few things at once.",
    more: "Vision transformers have heads of width 64 to 104. Reported above 256.",
    example: {
      write: { "encoder vit(depth: 12, width: 768, heads: 12)": "encoder vit(depth: 12, width: 768, heads: 1)" },
    },
    model: (lines) => headRemarks(lines, (width) => width > widestHead, usualHeads),
  },
  {
    code: "lint/narrow-perceptron",
    category: "architecture",
    severity: "warning",
    source: "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, table 1",
    title: "The perceptrons are narrower than the tokens they read.",
    reason: "A perceptron with fewer hidden features than its tokens loses what does not fit through.",
    more: "The hidden layer of a transformer block is four times as wide as its tokens. Reported below one time.",
    example: {
      write: {
        "encoder vit(depth: 12, width: 768, heads: 12)":
          "encoder vit(depth: 12, width: 768, heads: 12, mlp_ratio: 0.5)",
      },
    },
    model: (lines) =>
      transformers(lines)
        .filter(({ values }) => values.mlp_ratio < 1)
        .map(({ use, values: { width, mlp_ratio } }) => ({
          places: [at(use, "mlp_ratio")],
          message: `tokens of width ${width} go through ${width * mlp_ratio} hidden features`,
          help: "leave it out: `mlp_ratio` is 4 then",
        })),
  },
  {
    code: "lint/many-tokens",
    category: "architecture",
    severity: "warning",
    source:
      "He et al., CVPR 2022, appendix A.1; facebookresearch/mae, issues 65 and 110 (small patches and long sequences)",
    title: "The patches are so small that there are thousands of tokens.",
    reason: "Attention costs the square of the tokens, and neighbours of a few pixels give each other away.",
    more: "Patches of 14 or 16 pixels on 224 make 196 to 256 tokens. Patches of 4 make 3136: over two hundred times the attention of 196, and a task that copying solves. Reported above 2048 tokens of a picture.",
    example: {
      write: {
        "tokens  patch(size: 16x16)": "tokens  patch(size: 4x4)",
        "target  pixels(normalize: patch)": "target  pixels(normalize: none)",
      },
      mended: { "target  pixels(normalize: patch)": "target  pixels(normalize: none)" },
    },
    model: (lines) =>
      patchRemark(lines, (count) => count > mostTokens, "use larger patches: 14x14 or 16x16 on an image of 224x224"),
  },
  {
    code: "lint/few-tokens",
    category: "architecture",
    severity: "warning",
    source: "Xie et al., SimMIM, CVPR 2022, section 4.1.2 (masked patch size)",
    title: "The patches are so large that hardly any tokens are left.",
    reason: "With so few tokens a mask leaves one or two to see, and there are few masks to draw.",
    more: "Small images take small patches: 7x7 on 28x28 makes 16 tokens, 4x4 on 32x32 makes 64. Reported below 9 tokens of a picture.",
    example: { write: { "tokens  patch(size: 16x16)": "tokens  patch(size: 112x112)" } },
    model: (lines) =>
      patchRemark(lines, (count) => count < fewestTokens, "use smaller patches, so that there are 16 tokens or more"),
  },
  {
    code: "lint/fast-teacher",
    category: "architecture",
    severity: "warning",
    source: "Tarvainen and Valpola, Mean teachers, NeurIPS 2017, figure 4; Grill et al., BYOL, NeurIPS 2020, table 5a",
    title: "The teacher follows the model nearly at once.",
    reason: "A teacher that follows at once is no steadier than the model, and both may settle on a constant.",
    more: "The momentum is 0.99 or more; data2vec has 0.9998. Reported below 0.9 at its start or its end.",
    example: {
      write: { "target  pixels(normalize: patch)": "teacher ema(momentum: 0.5)\n  target  features(layers: 6)" },
      mended: { "target  pixels(normalize: patch)": "teacher ema(momentum: 0.9998)\n  target  features(layers: 6)" },
    },
    model: (lines) =>
      teacherRemark(
        lines,
        (from, to) => (Math.min(from, to) < 0.9 ? `the teacher keeps ${Math.min(from, to)} of itself at a step` : null),
        "write 0.99 or more; 0.9998 is that of data2vec",
      ),
  },
  {
    code: "lint/frozen-teacher",
    category: "architecture",
    severity: "warning",
    source: "Grill et al., BYOL, NeurIPS 2020, table 5a (a fixed random target)",
    title: "The teacher never moves.",
    reason: "With a momentum of 1 the teacher stays the random network that it begins as.",
    more: "A momentum that ends at 1 is fine, as in `0.996 -> 1 over all epochs`.",
    example: {
      write: { "target  pixels(normalize: patch)": "teacher ema(momentum: 1)\n  target  features(layers: 6)" },
      mended: { "target  pixels(normalize: patch)": "teacher ema(momentum: 0.9998)\n  target  features(layers: 6)" },
    },
    model: (lines) =>
      teacherRemark(
        lines,
        (from, to) => (from === 1 && to === 1 ? "a momentum of 1 keeps the teacher as it began" : null),
        "write a momentum below 1, such as 0.9998",
      ),
  },
  {
    code: "lint/hastening-teacher",
    category: "architecture",
    severity: "warning",
    source: "Baevski et al., data2vec, ICML 2022, section 3.2; Grill et al., BYOL, NeurIPS 2020, section 3.1",
    title: "The teacher's momentum falls during training.",
    reason: "A teacher should follow fast while the model is new and slowly when it is good.",
    more: "Published momenta rise, as from 0.999 to 0.9999 in data2vec or from 0.996 to 1 in BYOL.",
    example: {
      write: {
        "target  pixels(normalize: patch)":
          "teacher ema(momentum: 0.9999 -> 0.99 over 50%)\n  target  features(layers: 6)",
      },
      mended: {
        "target  pixels(normalize: patch)":
          "teacher ema(momentum: 0.99 -> 0.9999 over 50%)\n  target  features(layers: 6)",
      },
    },
    model: (lines) =>
      teacherRemark(
        lines,
        (from, to) => (to < from ? `the momentum falls from ${from} to ${to}` : null),
        "let it rise: write the smaller number first",
      ),
  },
];

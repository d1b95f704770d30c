/** Adversaries: networks that judge the model's predictions, and what each side pays for the judgement. */

import type { Tensor } from "../../graph/index.js";
import { type Definition, type ModelContext, ofKind } from "../block.js";
import type { Code } from "../code.js";
import {
  deceptionLoss,
  discriminationError,
  linear,
  linearParameters,
  recognitionLoss,
  takeTokens,
} from "../nn/index.js";
import type { ParameterTree, Weights } from "../parameters.js";
import { choice, labels, optional, type Params, ratio, real, type ValuesOf } from "../params.js";
import type { Places } from "../places.js";
import { patchesOf } from "../sequence.js";
import { latentFrom } from "../sources.js";

/** What is known when an adversary is checked. */
export interface JudgedModel extends ModelContext {
  /** Whether all predictions that it judges can be brought back to pixels in the graph. */
  readonly predictsPixels: boolean;
}

export interface AdversaryContext {
  /** Features of a token of the backbone. */
  readonly encoderWidth: number;
}

/** Where the patches are. */
type JudgedPlaces = Pick<Places, "visible" | "hidden">;

export interface AdversaryInputs {
  /** What the backbone gives for the whole image whose hidden patches are predicted, [B, extra + N, D], normalised. */
  readonly latent: Tensor;
  /** Tokens in front of the patches. */
  readonly extra: number;
  /** Patches, N. */
  readonly count: number;
}

export interface Adversary<P extends Params = Params, T extends ParameterTree = ParameterTree>
  extends Definition<P, JudgedModel> {
  /**
   * `shared`: it looks through the model's encoder and trains it too; `one_way`: the same, and the model's part trains what makes the
   * predictions, not the encoder as it judges; `separate`: it looks through a copy of its own.
   */
  backbone(p: ValuesOf<P>): "shared" | "one_way" | "separate";
  update(p: ValuesOf<P>): "alternate" | "joint";
  /** What the model's part counts for: `factor` times it, `adaptive`: times the ratio of the gradients' norms as well. */
  weight(p: ValuesOf<P>): { readonly kind: "fixed" | "adaptive"; readonly factor: number };
  /** What the squared slope of its decisions about true arrays costs it; null, or if absent: nothing. */
  slopes?(p: ValuesOf<P>): number | null;
  /** Weights beside the backbone's. */
  parameters(p: ValuesOf<P>, context: AdversaryContext): T;
  /** -> decisions [B, N, 1]: logits that a patch is an original. */
  judge(code: Code, p: ValuesOf<P>, w: Weights<T>, inputs: AdversaryInputs): Tensor;
  /** decisions [B, N, 1] -> a scalar, what the adversary minimises. */
  ownLoss(code: Code, p: ValuesOf<P>, decisions: Tensor, places: JudgedPlaces): Tensor;
  /** decisions [B, N, 1] -> a scalar, what the model minimises beside its other losses. */
  modelLoss(code: Code, p: ValuesOf<P>, decisions: Tensor, places: JudgedPlaces): Tensor;
}

export const defineAdversary = <const P extends Params, T extends ParameterTree>(
  adversary: Adversary<P, T>,
): Adversary<P, T> => ofKind("adversary", adversary);

/** The decisions about originals [B, V, 1] and about predictions [B, N - V, 1]. */
const sides = (code: Code, decisions: Tensor, { visible, hidden }: JudgedPlaces): readonly [Tensor, Tensor] => [
  code.let("originals", takeTokens, decisions, visible),
  code.let("predictions", takeTokens, decisions, hidden),
];

/** The discriminator of GAN-MAE: for each patch, whether it is an original or was predicted. */
export const patchDiscriminator = defineAdversary({
  name: "patch_discriminator",
  summary: "Tells patch by patch what is original from what was predicted, by one logit for each token of a backbone.",
  source: "Fei et al., Masked Auto-Encoders Meet Generative Adversarial Networks and Beyond, CVPR 2023",
  since: "0.1",
  params: {
    backbone: choice({
      default: "shared",
      options: {
        shared: "The model's own encoder, which both sides train.",
        one_way:
          "The model's own encoder, which learns from judging; what the model pays passes through it to the predictions and leaves the judge as it is.",
        separate: "A second encoder of the same form, which the model's losses leave alone.",
      },
      doc: "The encoder that it looks through.",
    }),
    update: choice({
      default: "alternate",
      options: {
        alternate: "The model first; then, on a forward pass of its own, the adversary.",
        joint: "Both from one forward pass, in one update.",
      },
      doc: "When the two sides are trained.",
    }),
    balance: choice({
      default: "gradients",
      options: {
        gradients: "`weight` times the ratio of the gradients' norms: of the model's other losses to this one's.",
        fixed: "`weight` alone.",
      },
      doc: "What the model's side counts for in the sum of its losses.",
    }),
    pays: choice({
      default: "both",
      options: {
        both: "The mean of `log o` over visible patches plus that of `log(1 - o)` over hidden ones.",
        hidden: "The mean of `-log o` over hidden patches.",
      },
      doc: "What the model's side is: `o` is how surely a patch is taken for an original.",
    }),
    weight: real({ min: 0, openMin: true, default: 1, doc: "Factor of the model's side in the sum of its losses." }),
    smoothing: optional(
      ratio({
        max: 0.5,
        doc: "How much less than 1 it is to say of originals, so that it is never quite sure. If absent, it is to say 1.",
      }),
    ),
    slopes: optional(
      real({
        min: 0,
        openMin: true,
        doc: "Factor of R1: what it pays, halved, for the squared slope of what it says of true inputs. If absent, nothing.",
      }),
    ),
    of: optional(
      labels({
        doc: "Whose predictions it judges, by the labels of targets, such as `[rgb, depth]`. If absent, those of the model's decoder.",
      }),
    ),
    through: latentFrom,
  },
  requires: [
    {
      name: "pixels",
      at: null,
      doc: "What the model predicts leads back to pixels: the adversary judges an image.",
      holds: (_, { predictsPixels }) => predictsPixels,
      say: () => "it judges images, and the model's target does not say what the image looks like",
      help: () => "use the target `pixels`, or remove the adversary",
    },
  ],
  backbone: (p) => p.backbone,
  update: (p) => p.update,
  slopes: (p) => p.slopes,
  weight: (p) => ({ kind: p.balance === "gradients" ? "adaptive" : "fixed", factor: p.weight }),
  parameters: (_, { encoderWidth }) => ({ head: linearParameters(encoderWidth, 1) }),
  judge(code, _, w, { latent, extra, count }) {
    const judged = patchesOf(code, "judged", latent, { extra, count }); // [B, N, D]
    return code.let("decisions", linear, judged, w.head);
  },
  ownLoss: (code, { smoothing }, decisions, places) =>
    code.let(
      "discrimination",
      discriminationError,
      ...sides(code, decisions, places),
      ...(smoothing === null ? [] : [{ smoothing }]),
    ),
  modelLoss(code, p, decisions, places) {
    const [originals, predictions] = sides(code, decisions, places);
    if (p.pays === "hidden") return code.let("recognition", recognitionLoss, predictions);
    return code.let("deception", deceptionLoss, originals, predictions);
  },
});

export const adversaries = [patchDiscriminator] as const;

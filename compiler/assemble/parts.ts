/** Picks the blocks of a checked model out of its slots: the one place that knows which slot plays which part. */

import type {
  Decoder,
  Encoder,
  Grid,
  ImageShape,
  Input,
  Kinds,
  Loss,
  Mask,
  Positions,
  Target,
  Tokens,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Filled, Model } from "../model.js";

/** A block with the values that its functions take. */
export interface Part<D> {
  readonly definition: D;
  readonly values: Readonly<Record<string, unknown>>;
}

/** A target, the decoder that predicts it, and the losses that judge the prediction. */
export interface Objective {
  /** null: the model's own, whose weights and functions bear no label. */
  readonly label: string | null;
  readonly decoder: Part<Decoder>;
  readonly target: Part<Target>;
  readonly losses: readonly (Part<Loss> & { readonly label: string | null })[];
}

/** A model of one input, masked and encoded once; what is made of its latent are the objectives. */
export interface Parts {
  readonly input: Part<Input>;
  readonly tokens: Part<Tokens>;
  readonly positions: Part<Positions>;
  readonly mask: Part<Mask>;
  readonly encoder: Part<Encoder>;
  /** The model's own first. */
  readonly objectives: readonly [Objective, ...Objective[]];
  readonly image: ImageShape;
  readonly grid: Grid;
}

const filling = (lines: readonly Filled[], slot: string): readonly Filled[] =>
  lines.filter((filled) => filled.slot === slot);

const partOf = <K extends keyof Kinds>({ use }: Filled): Part<Kinds[K]> => ({
  definition: use.definition as unknown as Kinds[K],
  values: use.values,
});

function only<K extends keyof Kinds>(lines: readonly Filled[], slot: K): Part<Kinds[K]> {
  const [line, another] = filling(lines, slot);
  invariant(line && !another, `the checker lets through only models with one ${slot}`);
  return partOf<K>(line);
}

/** Whether a target has a decoder of its own; the one that has none is predicted by the model's. */
const isLabelled = (target: Filled): boolean => filling(target.inner, "decoder").length > 0;

function objective(lines: readonly Filled[], target: Filled, label: string | null): Objective {
  return {
    label,
    decoder: only(lines, "decoder"),
    target: partOf<"target">(target),
    losses: filling(lines, "loss").map((line) => ({ ...partOf<"loss">(line), label: line.label })),
  };
}

function objectivesOf({ slots }: Model): Parts["objectives"] {
  const targets = filling(slots, "target");
  const [own, another] = targets.filter((target) => !isLabelled(target));
  invariant(own && !another, "the checker lets through only models with one target for their decoder");
  const others = targets.filter(isLabelled).map((target) => {
    invariant(target.label !== null, "the checker lets through only one target without a label");
    return objective(target.inner, target, target.label);
  });
  return [objective([...slots, ...own.inner], own, null), ...others];
}

/** The parts of a model without findings. */
export function partsOf(model: Model): Parts {
  const { slots } = model;
  const input = only(slots, "input");
  const tokens = only(slots, "tokens");
  const image = input.definition.shape(input.values);
  return {
    input,
    tokens,
    positions: only(slots, "positions"),
    mask: only(slots, "mask"),
    encoder: only(slots, "encoder"),
    objectives: objectivesOf(model),
    image,
    grid: tokens.definition.grid(tokens.values, image),
  };
}

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

/** A model of one thread: one input, masked, encoded, decoded, compared with one target. */
export interface Parts {
  readonly input: Part<Input>;
  readonly tokens: Part<Tokens>;
  readonly positions: Part<Positions>;
  readonly mask: Part<Mask>;
  readonly encoder: Part<Encoder>;
  readonly decoder: Part<Decoder>;
  readonly target: Part<Target>;
  readonly losses: readonly Part<Loss>[];
  readonly image: ImageShape;
  readonly grid: Grid;
}

const filling = (model: Model, slot: string): readonly Filled[] => model.slots.filter((filled) => filled.slot === slot);

const parts = <K extends keyof Kinds>(model: Model, slot: K): readonly Part<Kinds[K]>[] =>
  filling(model, slot).map(({ use }) => ({ definition: use.definition as unknown as Kinds[K], values: use.values }));

function only<K extends keyof Kinds>(model: Model, slot: K): Part<Kinds[K]> {
  const [part, another] = parts(model, slot);
  invariant(part && !another, `the checker lets through only models with one ${slot}`);
  return part;
}

/** The parts of a model without findings. */
export function partsOf(model: Model): Parts {
  const input = only(model, "input");
  const tokens = only(model, "tokens");
  const image = input.definition.shape(input.values);
  return {
    input,
    tokens,
    positions: only(model, "positions"),
    mask: only(model, "mask"),
    encoder: only(model, "encoder"),
    decoder: only(model, "decoder"),
    target: only(model, "target"),
    losses: parts(model, "loss"),
    image,
    grid: tokens.definition.grid(tokens.values, image),
  };
}

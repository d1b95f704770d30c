/** Picks the blocks of a checked model out of its slots: the one place that knows which slot plays which part. */

import type {
  Adversary,
  ArrayShape,
  Bound,
  Decoder,
  Encoder,
  Head,
  Input,
  Kinds,
  Lattice,
  Loss,
  Mask,
  Positions,
  Target,
  Teacher,
  Tokens,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Filled, Model } from "../model.js";

/** A target, the decoder that predicts it, and the losses that judge the prediction. */
export interface Objective {
  /** null: the model's own, whose weights and functions bear no label. */
  readonly label: string | null;
  readonly decoder: Bound<Decoder>;
  readonly target: Bound<Target>;
  /** Encodes the target itself for its decoder; null: the decoder sees the latent alone. */
  readonly encoder: Bound<Encoder> | null;
  readonly losses: readonly (Bound<Loss> & { readonly label: string | null })[];
}

/** A head and the losses that judge its classes. */
export interface Classes {
  readonly head: Bound<Head>;
  readonly losses: Objective["losses"];
}

/** A model of one input, masked and encoded once; what is made of its latent are the objectives, or classes. */
export interface Parts {
  readonly input: Bound<Input>;
  readonly tokens: Bound<Tokens>;
  readonly positions: Bound<Positions>;
  /** null: nothing is hidden. */
  readonly mask: Bound<Mask> | null;
  readonly encoder: Bound<Encoder>;
  /** The model's own first; none where there are classes. */
  readonly objectives: readonly Objective[];
  readonly classes: Classes | null;
  readonly adversary: Bound<Adversary> | null;
  readonly teacher: Bound<Teacher> | null;
  /** What the array is called: as the label of its input, or its medium. */
  readonly name: string;
  readonly array: ArrayShape;
  readonly grid: Lattice;
}

const filling = (lines: readonly Filled[], slot: string): readonly Filled[] =>
  lines.filter((filled) => filled.slot === slot);

const partOf = <K extends keyof Kinds>({ use }: Filled): Bound<Kinds[K]> => ({
  definition: use.definition as unknown as Kinds[K],
  values: use.values,
});

function only<K extends keyof Kinds>(lines: readonly Filled[], slot: K): Bound<Kinds[K]> {
  const [line, another] = filling(lines, slot);
  invariant(line && !another, `the checker lets through only models with one ${slot}`);
  return partOf<K>(line);
}

function atMostOne<K extends keyof Kinds>(lines: readonly Filled[], slot: K): Bound<Kinds[K]> | null {
  return filling(lines, slot).length === 0 ? null : only(lines, slot);
}

/** Whether a target has a decoder of its own; one that has none is predicted by the model's. */
const hasDecoder = (target: Filled): boolean => filling(target.inner, "decoder").length > 0;

function objective(lines: readonly Filled[], target: Filled, label: string | null): Objective {
  return {
    label,
    decoder: only(lines, "decoder"),
    target: partOf<"target">(target),
    encoder: atMostOne(target.inner, "encoder"),
    losses: lossesOf(lines),
  };
}

const lossesOf = (lines: readonly Filled[]): Objective["losses"] =>
  filling(lines, "loss").map((line) => ({ ...partOf<"loss">(line), label: line.label }));

function classesOf({ slots }: Model): Classes | null {
  const head = atMostOne(slots, "head");
  return head && { head, losses: lossesOf(slots) };
}

/** The model's own is the target of its decoder, and where it has none, the first. */
function objectivesOf({ slots }: Model): Parts["objectives"] {
  const targets = filling(slots, "target");
  const own = targets.find((target) => !hasDecoder(target)) ?? targets[0];
  invariant(own, "the checker lets through only models with a target");
  const others = targets.filter((target) => target !== own);
  return [ownObjective(slots, own), ...others.map((target) => objective(target.inner, target, target.label))];
}

/** Weights and functions of the model's own bear no label, unless the target has a decoder and one. */
const ownObjective = (slots: readonly Filled[], own: Filled): Objective =>
  hasDecoder(own)
    ? objective([...own.inner, ...filling(slots, "loss")], own, own.label)
    : objective([...slots, ...own.inner], own, null);

/** The parts of a model without findings. */
export function partsOf(model: Model): Parts {
  const { slots } = model;
  const input = only(slots, "input");
  const tokens = only(slots, "tokens");
  const array = input.definition.shape(input.values);
  const classes = classesOf(model);
  return {
    input,
    tokens,
    positions: only(slots, "positions"),
    mask: atMostOne(slots, "mask"),
    encoder: only(slots, "encoder"),
    objectives: classes ? [] : objectivesOf(model),
    classes,
    adversary: atMostOne(slots, "adversary"),
    teacher: atMostOne(slots, "teacher"),
    name: filling(slots, "input")[0]?.label ?? input.definition.name,
    array,
    grid: tokens.definition.grid(tokens.values, array),
  };
}

/** The model's own objective, of a model that predicts patches. */
export function ownObjectiveOf({ objectives }: Parts): Objective {
  const [own] = objectives;
  invariant(own, "a model of classes predicts no patches");
  return own;
}

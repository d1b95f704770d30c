/** The registry: every block there is, by kind. A plain value that is passed, so that a project can add its own. */

import { invariant } from "../graph/index.js";
import { type Adversary, adversaries } from "./adversary/index.js";
import { type Augment, augments } from "./augment/index.js";
import { kindOf } from "./block.js";
import { type Dataset, datasets } from "./dataset/index.js";
import { type Decoder, decoders } from "./decoder/index.js";
import { type Encoder, encoders } from "./encoder/index.js";
import { type Head, heads } from "./head/index.js";
import { type Input, inputs } from "./input/index.js";
import type { Kind } from "./kinds.js";
import { type Latents, latents } from "./latents/index.js";
import { type Loss, losses } from "./loss/index.js";
import { type Mask, masks } from "./mask/index.js";
import { type Optimizer, optimizers } from "./optimizer/index.js";
import { type Positions, positions } from "./positions/index.js";
import { type Probe, probes } from "./probe/index.js";
import { type RegionSource, regionSources } from "./regions/index.js";
import { type Schedule, schedules } from "./schedule/index.js";
import { type Target, targets } from "./target/index.js";
import { type Teacher, teachers } from "./teacher/index.js";
import { type Tokens, tokens } from "./tokens/index.js";
import { type Views, views } from "./view/index.js";

export interface Kinds {
  readonly input: Input;
  readonly view: Views;
  readonly tokens: Tokens;
  readonly positions: Positions;
  readonly mask: Mask;
  readonly encoder: Encoder;
  readonly latents: Latents;
  readonly decoder: Decoder;
  readonly target: Target;
  readonly regions: RegionSource;
  readonly loss: Loss;
  readonly head: Head;
  readonly teacher: Teacher;
  readonly adversary: Adversary;
  readonly dataset: Dataset;
  readonly augment: Augment;
  readonly optimizer: Optimizer;
  readonly schedule: Schedule;
  readonly probe: Probe;
}

/** A definition as what it was defined as; undefined where it is of another kind, or none. */
export const asKind = <K extends Kind>(kind: K, definition: object | undefined): Kinds[K] | undefined =>
  kindOf(definition) === kind ? (definition as Kinds[K]) : undefined;

/** A definition of which it is known what it was defined as, or a copy of one, which does not say. */
export function mustBe<K extends Kind>(kind: K, definition: object): Kinds[K] {
  const told = kindOf(definition);
  invariant(told === undefined || told === kind, `what stands there is defined as ${kind}`);
  return definition as Kinds[K];
}

export type Registry = { readonly [K in Kind]: readonly Kinds[K][] };

export const registry: Registry = {
  input: inputs,
  view: views,
  tokens,
  positions,
  mask: masks,
  encoder: encoders,
  latents,
  decoder: decoders,
  target: targets,
  regions: regionSources,
  loss: losses,
  head: heads,
  teacher: teachers,
  adversary: adversaries,
  dataset: datasets,
  augment: augments,
  optimizer: optimizers,
  schedule: schedules,
  probe: probes,
};

/**
 * The weights of a model in one tree, and where each objective and loss finds its own: without a label at the root, with
 * one under it.
 */

import {
  type Adversary,
  type Bound,
  type Encoder,
  type ParameterTree,
  slowCopy,
  type Weights,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { layoutOf } from "./layout.js";
import { distinct } from "./names.js";
import type { Classes, Objective, Parts } from "./parts.js";

/** Weights of the whole model: tensors nested under the names of a checkpoint. */
export type WeightTree = Weights<{ readonly [name: string]: ParameterTree }>;

/** Weight names that the assembly itself gives. */
export const encoderPositions = "pos_embed";
export const decoderPositions = "decoder_pos_embed";

/** Branches of what stands beside the model and its objectives. */
export const adversaryBranch = "adversary";
export const backboneBranch = "backbone";
export const teacherBranch = "teacher";

/** The part of a model that weights belong to. */
export interface Owner {
  /** Its names in a spec, the widest first: the encoder's positions are `encoder`, and `positions`. */
  readonly parts: readonly string[];
  /** Kind of part, the same in every model. */
  readonly role: string;
  readonly label: string | null;
  /** Of a position table: rows for tokens in front of the patches. */
  readonly extra?: number;
}

/** Names of branches; null: the weights stand beside those of the rest. */
export interface ObjectiveBranches {
  readonly branch: string | null;
  /** Of the target's encoder, within the objective's. */
  readonly encoder: string | null;
  /** Within the objective's, one for each loss. */
  readonly losses: readonly (string | null)[];
}

export interface ModelWeights {
  readonly parameters: ParameterTree;
  /** One for each objective. */
  readonly objectives: readonly ObjectiveBranches[];
  /** Of the losses of classes, within the model's. */
  readonly losses: readonly (string | null)[];
  /** The names at the root that make up tokens, positions and encoder. */
  readonly backbone: readonly string[];
  /** Of branches; what lies below one belongs to the same part. */
  readonly owners: ReadonlyMap<ParameterTree, Owner>;
}

type OpenTree = Record<string, ParameterTree>;

/** Weights that are being put together. */
interface Growing {
  readonly tree: OpenTree;
  readonly owners: Map<ParameterTree, Owner>;
}

/** Puts weights beside the others; two parts that use one name are a mistake in a block. */
function putBeside({ tree, owners }: Growing, own: ParameterTree, owner: Owner): void {
  for (const branch of Object.values(own)) owners.set(branch as ParameterTree, owner);
  const twice = Object.keys(own).find((name) => name in tree);
  invariant(twice === undefined, `two blocks declare the weight ${twice}`);
  Object.assign(tree, own);
}

/** Puts weights under a label, `label_2` where a weight is called like it; gives the name. */
function putUnder({ tree }: Growing, own: ParameterTree, label: string): string {
  const name = distinct(label, (other) => other in tree, "_");
  tree[name] = own;
  return name;
}

/** Part of a target: with a label by the target's name, as the model's own by that of its slot. */
const objectiveOwner = (label: string | null, slot: string, ...narrower: readonly string[]): Owner => ({
  parts: label === null ? [slot, ...narrower] : [`target.${label}`],
  role: [slot, ...narrower].join("/"),
  label,
});

const isEmpty = (tree: ParameterTree): boolean => Object.keys(tree).length === 0;

/** Adds what an objective trains besides the encoder; gives where its own encoder and its losses find theirs. */
function putObjective(
  growing: Growing,
  parts: Parts,
  { label, decoder, target, encoder, losses }: Objective,
): Omit<ObjectiveBranches, "branch"> {
  const encoderWidth = parts.encoder.definition.width(parts.encoder.values);
  const outputs = target.definition.outputs(target.values, { ...parts, width: encoderWidth });
  const enters = label === null && decoder.definition.enter !== undefined;
  const codeWidth = encoder === null ? null : encoder.definition.width(encoder.values);
  const sequences = target.definition.sequences?.(target.values) ?? 1;
  const width = decoder.definition.width(decoder.values);
  const { extra } = layoutOf(parts);
  if (width !== null) {
    const owner = { ...objectiveOwner(label, "decoder", "positions"), extra };
    putBeside(growing, { [decoderPositions]: positionTable(parts, width) }, owner);
  }
  const own = decoder.definition.parameters(decoder.values, { encoderWidth, outputs, codeWidth, sequences, enters });
  putBeside(growing, own, objectiveOwner(label, "decoder"));
  if (codeWidth !== null) {
    const context = { ...parts, width: codeWidth };
    putBeside(growing, target.definition.parameters?.(target.values, context) ?? {}, objectiveOwner(label, "target"));
  }
  return {
    encoder: encoder === null ? null : putCodeEncoder(growing, parts, encoder, label),
    losses: losses.map((loss) => putLoss(growing, loss, encoderWidth, label)),
  };
}

/** Adds the weights of a loss; gives their branch. `target`: the label of its target. */
function putLoss(
  growing: Growing,
  { definition, values, label }: Objective["losses"][number],
  encoderWidth: number,
  target: string | null,
): string | null {
  const weights = definition.parameters?.(values, { encoderWidth }) ?? {};
  const owner = objectiveOwner(target, "loss", ...(label === null ? [] : [`loss.${label}`]));
  if (label === null) putBeside(growing, weights, owner);
  if (label === null || isEmpty(weights)) return null;
  growing.owners.set(weights, owner);
  return putUnder(growing, weights, label);
}

/** Adds the weights of a target's encoder, with positions for its tokens; gives their branch. */
function putCodeEncoder(
  growing: Growing,
  parts: Parts,
  { definition, values }: Bound<Encoder>,
  label: string | null,
): string {
  const extra = definition.extraTokens(values);
  const own: Growing = { tree: {}, owners: growing.owners };
  const table = { [encoderPositions]: positionTable(parts, definition.width(values), extra) };
  putBeside(own, table, { ...objectiveOwner(label, "target", "target.encoder", "positions"), extra });
  putBeside(own, definition.parameters(values), objectiveOwner(label, "target", "target.encoder"));
  return putUnder(growing, own.tree, "encoder");
}

const positionTable = (parts: Parts, width: number, extra = layoutOf(parts).extra): ParameterTree => {
  const { positions, grid } = parts;
  return positions.definition.table(positions.values, { grid, extra, width });
};

/** Positions, tokens and encoder: what sees an image. */
function backboneParameters(parts: Parts, owners: Growing["owners"] = new Map()): OpenTree {
  const { encoder, tokens, array } = parts;
  const width = encoder.definition.width(encoder.values);
  const growing: Growing = { tree: {}, owners };
  const owner = (...names: readonly string[]): Owner => ({ parts: names, role: names.join("/"), label: null });
  const { extra } = layoutOf(parts);
  putBeside(growing, { [encoderPositions]: positionTable(parts, width) }, { ...owner("encoder", "positions"), extra });
  putBeside(growing, tokens.definition.parameters(tokens.values, { array, width }), owner("encoder", "tokens"));
  putBeside(growing, encoder.definition.parameters(encoder.values), owner("encoder"));
  return growing.tree;
}

/** Adds what judges predictions. */
function putAdversary(growing: Growing, parts: Parts, { definition, values }: Bound<Adversary>): void {
  const encoderWidth = parts.encoder.definition.width(parts.encoder.values);
  const owner: Owner = { parts: ["adversary"], role: "adversary", label: null };
  const own: Growing = { tree: {}, owners: growing.owners };
  putBeside(own, definition.parameters(values, { encoderWidth }), owner);
  if (definition.backbone(values) === "separate") {
    putBeside(own, { [backboneBranch]: backboneParameters(parts) }, owner);
  }
  putBeside(growing, { [adversaryBranch]: own.tree }, owner);
}

/** Adds a head and what its losses train; gives the branches of the losses. */
function putClasses(growing: Growing, { encoder }: Parts, { head, losses }: Classes): readonly (string | null)[] {
  const encoderWidth = encoder.definition.width(encoder.values);
  const owner: Owner = { parts: ["head"], role: "head", label: null };
  putBeside(growing, head.definition.parameters(head.values, { encoderWidth }), owner);
  return losses.map((loss) => putLoss(growing, loss, encoderWidth, null));
}

export function modelWeights(parts: Parts): ModelWeights {
  const owners: Growing["owners"] = new Map();
  const growing: Growing = { tree: backboneParameters(parts, owners), owners };
  const backbone = Object.keys(growing.tree);
  if (parts.adversary) putAdversary(growing, parts, parts.adversary);
  if (parts.teacher) {
    const owner: Owner = { parts: ["teacher"], role: "teacher", label: null };
    putBeside(growing, { [teacherBranch]: slowCopy(backboneParameters(parts)) }, owner);
  }
  const objectives = parts.objectives.map((objective): ObjectiveBranches => {
    if (objective.label === null) return { branch: null, ...putObjective(growing, parts, objective) };
    const inner: Growing = { tree: {}, owners };
    const placed = putObjective(inner, parts, objective);
    return { branch: putUnder(growing, inner.tree, objective.label), ...placed };
  });
  const losses = parts.classes ? putClasses(growing, parts, parts.classes) : [];
  return { parameters: growing.tree, objectives, losses, backbone, owners };
}

/** The weights under a branch. */
export const weightsUnder = (w: WeightTree, branch: string | null): WeightTree =>
  branch === null ? w : (w[branch] as WeightTree);

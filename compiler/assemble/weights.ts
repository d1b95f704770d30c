/**
 * The weights of a model in one tree, and where each part finds its own: without a label at the root, with one under it. Parts of
 * one label share a branch.
 */

import {
  type Adversary,
  type Bound,
  type DecoderContext,
  type Encoder,
  type ParameterTree,
  slowCopy,
  tokenParameter,
  type Weights,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { extraRows, extraTokensOf, hidingOf } from "./layout.js";
import { distinct } from "./names.js";
import type { Classes, EncoderPart, InputPart, LabelledLoss, Objective, Parts } from "./parts.js";

/** Weights of the whole model: tensors nested under the names of a checkpoint. */
export type WeightTree = Weights<{ readonly [name: string]: ParameterTree }>;

/** Weight names that the assembly itself gives. */
export const encoderPositions = "pos_embed";
export const decoderPositions = "decoder_pos_embed";
export const encoderMark = "input_embed";
export const decoderMark = "decoder_input_embed";
/** What stands in the encoder's input in place of hidden tokens. */
export const hiddenToken = "mask_token";

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
  /** Of a position table: the tokens whose places it holds, and rows for others in front of them. */
  readonly table?: { readonly grid: InputPart["grid"]; readonly extra: number };
  /** Of what reads patches: channels of the input that they are cut from. */
  readonly channels?: number;
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
  /** The branch of the weights that bear a label; null of null: the root. */
  readonly branchOf: (label: string | null) => string | null;
  /** One for each objective. */
  readonly objectives: readonly ObjectiveBranches[];
  /** Of the losses of classes, within the model's. */
  readonly losses: readonly (string | null)[];
  /** Of the losses between inputs, within the model's. */
  readonly comparisons: readonly (string | null)[];
  /** The branches that make up tokens, positions and encoders, by their dotted names. */
  readonly backbone: readonly string[];
  /** Of branches; what lies below one belongs to the same part. */
  readonly owners: ReadonlyMap<ParameterTree, Owner>;
}

type OpenTree = Record<string, ParameterTree>;
type Owners = Map<ParameterTree, Owner>;

/** Weights that are being put together. */
interface Growing {
  readonly tree: OpenTree;
  readonly owners: Owners;
}

/** The weights of a model that are being put together: those without a label, and those of each. */
class Branches {
  readonly owners: Owners = new Map();
  readonly root: Growing = { tree: {}, owners: this.owners };
  readonly #labelled = new Map<string, Growing>();

  /** Where the weights of a label go. */
  at(label: string | null): Growing {
    if (label === null) return this.root;
    const known = this.#labelled.get(label) ?? { tree: {}, owners: this.owners };
    this.#labelled.set(label, known);
    return known;
  }

  /** The whole tree. A label stands as `label_2` where a weight at the root is called like it. */
  joined(): Pick<ModelWeights, "parameters" | "branchOf"> {
    const tree: OpenTree = { ...this.root.tree };
    const names = new Map<string, string>();
    for (const [label, growing] of this.#labelled) {
      names.set(label, putUnder({ ...growing, tree }, growing.tree, label));
    }
    return { parameters: tree, branchOf: (label) => (label === null ? null : (names.get(label) ?? null)) };
  }
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

export const widthOf = ({ block: { definition, values } }: EncoderPart): number => definition.width(values);

/** Adds what a decoder knows of the places of the inputs that it reads. `branch`: of the decoder. */
function putDecoderPositions(branches: Branches, parts: Parts, { decoder, label, together }: Objective): void {
  const width = decoder.definition.width(decoder.values);
  if (width === null) return;
  const own = together ? null : label;
  for (const input of parts.encoder.inputs) {
    const growing = inputBranch(branches, own, input);
    const extra = input.label === null ? extraTokensOf(parts.encoder) : 0;
    const owner = objectiveOwner(own ?? input.label, "decoder", "positions");
    const table = { [decoderPositions]: positionTable(input, width, extra) };
    putBeside(growing, table, { ...owner, table: { grid: input.grid, extra } });
    if (hasMark(input)) putBeside(growing, { [decoderMark]: tokenParameter(width) }, owner);
  }
}

/** Whether a learned vector of the input is added to its tokens. */
export const hasMark = ({ positions }: InputPart): boolean =>
  positions?.definition.marksInput?.(positions.values) ?? false;

/** Where a decoder keeps what it knows of an input: with the input, or under its own label under that of the input. */
function inputBranch(branches: Branches, own: string | null, input: InputPart): Growing {
  if (own === null || input.label === null) return branches.at(own ?? input.label);
  const { tree, owners } = branches.at(own);
  const known = (tree[sourcesBranch] ?? {}) as OpenTree;
  tree[sourcesBranch] = known;
  const inner = (known[input.label] ?? {}) as OpenTree;
  known[input.label] = inner;
  return { tree: inner, owners };
}

/** What a decoder of one target knows of the inputs that it reads. */
export const sourcesBranch = "inputs";

/** Adds what an objective trains besides the encoder; gives where its own encoder and its losses find theirs. */
function putObjective(branches: Branches, parts: Parts, objective: Objective): Omit<ObjectiveBranches, "branch"> {
  const { label, decoder, target, input, encoder, losses, together } = objective;
  const growing = branches.at(label);
  const encoderWidth = widthOf(parts.encoder);
  const outputs = target.definition.outputs(target.values, { ...input, width: encoderWidth });
  const whole = hidingOf(parts) !== "drop";
  const codeWidth = encoder === null ? null : encoder.definition.width(encoder.values);
  if (together) {
    const { several } = decoder.definition;
    invariant(several, "the checker lets through only decoders that predict one target, or several");
    putBeside(growing, several.head(decoder.values, outputs), objectiveOwner(label, "decoder"));
  } else {
    const sequences = target.definition.sequences?.(target.values) ?? 1;
    putDecoderPositions(branches, parts, objective);
    if (label === null && hidingOf(parts) === "token" && !mapsUnder(parts)) {
      putBeside(growing, { [hiddenToken]: tokenParameter(encoderWidth) }, objectiveOwner(label, "decoder"));
    }
    const inputs = parts.encoder.inputs.flatMap((one) => one.label ?? []);
    const maps = mapsUnder(parts);
    const context = { encoderWidth, outputs, codeWidth, sequences, inputs, whole, maps };
    putBeside(growing, decoder.definition.parameters(decoder.values, context), objectiveOwner(label, "decoder"));
  }
  if (codeWidth !== null) {
    const context = { ...input, width: codeWidth };
    putBeside(growing, target.definition.parameters?.(target.values, context) ?? {}, objectiveOwner(label, "target"));
  }
  return {
    encoder: encoder === null ? null : putCodeEncoder(growing, input, encoder, label),
    losses: losses.map((loss) => putLoss(growing, loss, encoderWidth, label)),
  };
}

/** Adds the network of a decoder of several targets. */
function putSharedDecoder(branches: Branches, parts: Parts, objective: Objective): void {
  const { definition, values } = objective.decoder;
  putDecoderPositions(branches, parts, objective);
  const whole = hidingOf(parts) !== "drop";
  const weights = definition.several?.parameters(values, { encoderWidth: widthOf(parts.encoder), whole }) ?? {};
  putBeside(branches.root, weights, objectiveOwner(null, "decoder"));
}

/** Adds the weights of a loss; gives their branch. `target`: the label of its target. */
function putLoss(
  growing: Growing,
  { definition, values, label }: LabelledLoss,
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
  input: InputPart,
  { definition, values }: Bound<Encoder>,
  label: string | null,
): string {
  const extra = definition.extraTokens(values);
  const own: Growing = { tree: {}, owners: growing.owners };
  const table = { [encoderPositions]: positionTable(input, definition.width(values), extra) };
  const context = { inputs: [], array: input.array, masked: true };
  const owner = objectiveOwner(label, "target", "target.encoder", "positions");
  putBeside(own, table, { ...owner, table: { grid: input.grid, extra } });
  putBeside(own, definition.parameters(values, context), objectiveOwner(label, "target", "target.encoder"));
  return putUnder(growing, own.tree, "encoder");
}

function positionTable({ positions, grid }: InputPart, width: number, extra: number): ParameterTree {
  invariant(positions, "only tokens have positions");
  return positions.definition.table(positions.values, { grid, extra, width });
}

/** Maps that the encoder gives, as decoders are told of them. */
function mapsUnder({ encoder, inputs }: Parts): DecoderContext["maps"] {
  const { definition, values } = encoder.block;
  if (!definition.maps) return null;
  return { levels: definition.maps.levels(values), axes: (inputs[0] as InputPart).array.axes.length };
}

/** Part of what sees inputs: with a label by the part's name and label. */
const backboneOwner = (label: string | null, ...names: readonly string[]): Owner => ({
  parts: label === null ? names : [...names, `${names.at(-1)}.${label}`],
  role: names.join("/"),
  label,
});

/** Adds positions and tokens of an input, as wide as the encoder that reads it. */
function putInput(branches: Branches, parts: Parts, input: InputPart): void {
  const { label, tokens, array, grid } = input;
  if (!tokens) return;
  const growing = branches.at(label);
  const reader = parts.encoders.find(({ reads }) => reads.includes(input));
  invariant(reader, "the checker lets through only inputs that an encoder reads");
  const [width, extra] = [widthOf(reader), extraRows(parts, input)];
  const owner = backboneOwner(label, "encoder", "positions");
  putBeside(growing, { [encoderPositions]: positionTable(input, width, extra) }, { ...owner, table: { grid, extra } });
  if (hasMark(input)) putBeside(growing, { [encoderMark]: tokenParameter(width) }, owner);
  const own = tokens.definition.parameters(tokens.values, { array, width });
  putBeside(growing, own, { ...backboneOwner(label, "encoder", "tokens"), channels: array.channels });
}

function putEncoder(
  branches: Branches,
  { label, block: { definition, values }, inputs, reads }: EncoderPart,
  masked: boolean,
): void {
  const joins = reads.length > 1;
  const several = joins ? inputs.flatMap((input) => input.label ?? []) : [];
  const context = { inputs: several, array: (inputs[0] as InputPart).array, masked };
  putBeside(branches.at(label), definition.parameters(values, context), backboneOwner(label, "encoder"));
}

/** Positions, tokens and encoders: what sees a sample. */
function backboneOf(parts: Parts, branches = new Branches()): Branches {
  for (const input of parts.inputs) putInput(branches, parts, input);
  for (const encoder of parts.encoders) putEncoder(branches, encoder, parts.masks.length > 0);
  return branches;
}

/** Adds what judges predictions. */
function putAdversary(growing: Growing, parts: Parts, { definition, values }: Bound<Adversary>): void {
  const owner: Owner = { parts: ["adversary"], role: "adversary", label: null };
  const own: Growing = { tree: {}, owners: growing.owners };
  putBeside(own, definition.parameters(values, { encoderWidth: widthOf(parts.encoder) }), owner);
  if (definition.backbone(values) === "separate") {
    putBeside(own, { [backboneBranch]: backboneOf(parts).root.tree }, owner);
  }
  putBeside(growing, { [adversaryBranch]: own.tree }, owner);
}

/** Adds a head and what its losses train; gives the branches of the losses. */
function putClasses(growing: Growing, { encoder }: Parts, { head, losses }: Classes): readonly (string | null)[] {
  const encoderWidth = widthOf(encoder);
  const owner: Owner = { parts: ["head"], role: "head", label: null };
  putBeside(growing, head.definition.parameters(head.values, { encoderWidth }), owner);
  return losses.map((loss) => putLoss(growing, loss, encoderWidth, null));
}

export function modelWeights(parts: Parts): ModelWeights {
  const branches = backboneOf(parts);
  const { root, owners } = branches;
  const own = Object.keys(root.tree);
  if (parts.adversary) putAdversary(root, parts, parts.adversary);
  if (parts.teacher) {
    const owner: Owner = { parts: ["teacher"], role: "teacher", label: null };
    putBeside(root, { [teacherBranch]: slowCopy(backboneOf(parts).root.tree) }, owner);
  }
  const shared = parts.objectives.find(({ together }) => together);
  if (shared) putSharedDecoder(branches, parts, shared);
  const placed = parts.objectives.map((objective) => putObjective(branches, parts, objective));
  const losses = parts.classes ? putClasses(root, parts, parts.classes) : [];
  const comparisons = parts.comparisons.map(({ loss, between: [{ encoder }] }) =>
    putLoss(root, loss, widthOf(encoder), null),
  );
  const { parameters, branchOf } = branches.joined();
  const objectives = placed.map((one, i) => ({ branch: branchOf(parts.objectives[i]?.label ?? null), ...one }));
  const backbone = backboneIn(parameters, { own, owners });
  return { parameters, branchOf, objectives, losses, comparisons, backbone, owners };
}

/** Those at the root, and under labels. A target's encoder, a teacher and an adversary have their own, which stand elsewhere. */
const backboneIn = (
  parameters: ParameterTree,
  { own, owners }: { readonly own: readonly string[] } & Pick<ModelWeights, "owners">,
): readonly string[] =>
  Object.entries(parameters).flatMap(([name, branch]: [string, ParameterTree]) => {
    if (own.includes(name)) return [name];
    if (owners.has(branch)) return [];
    return Object.entries(branch).flatMap(([inner, below]: [string, ParameterTree]) =>
      owners.get(below)?.parts[0] === "encoder" ? [`${name}.${inner}`] : [],
    );
  });

/** The weights under a branch. */
export const weightsUnder = (w: WeightTree, branch: string | null): WeightTree =>
  branch === null ? w : (w[branch] as WeightTree);

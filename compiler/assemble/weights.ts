/**
 * The weights of a model in one tree, and where each part finds its own: without a label at the root, with one under it. Parts of
 * one label share a branch.
 */

import {
  type Bound,
  type Encoder,
  givenNetwork,
  type LossContext,
  type ParameterTree,
  slowCopy,
  tokenParameter,
  tokensParameter,
} from "../../blocks/index.js";
import { invariant, type Tensor } from "../../graph/index.js";
import {
  Branches,
  type BranchOf,
  type Growing,
  keepName,
  type Later,
  nested,
  type OpenTree,
  type Owner,
  putBeside,
  putUnder,
  type WeightTree,
  weightsUnder,
} from "./branches.js";
import { objectiveOwner, outputsOf, putHead, putLoss, putVectors, vectorWidth, widthOf } from "./head-weights.js";
import { extraRows, extraTokensOf, frontOf, hidingOf, inputsOf, isWhole, mapsUnder } from "./layout.js";
import {
  type AdversaryPart,
  type EncoderPart,
  encoderUnder,
  type InputPart,
  isEncoder,
  networkBeside,
  type Objective,
  type Parts,
  type TeacherPart,
} from "./parts.js";
import { isTurned } from "./placing.js";

/** Weight names that the assembly itself gives. */
export const encoderPositions = "pos_embed";
export const decoderPositions = "decoder_pos_embed";
export const latentPositions = "decoder_latent_pos_embed";
export const encoderMark = "input_embed";
export const decoderMark = "decoder_input_embed";

/**
 * What stands in the encoder's input in place of hidden tokens of an input. Under a label, and where the encoder gives latents, decoders have a
 * `mask_token` of their own.
 */
export const hiddenTokenName = (parts: Pick<Parts, "encoders">, input: InputPart): string =>
  input.label === null && !isBehindLatents(parts, input) ? "mask_token" : "hidden_token";

/** Whether of what encoders make of an input latents alone go on. */
const isBehindLatents = ({ encoders }: Pick<Parts, "encoders">, input: InputPart): boolean =>
  encoders.some(({ inputs, latents }) => latents !== null && inputs.includes(input));

/** Branches of what stands beside the model and its objectives. */
export const adversaryBranch = "adversary";
export const backboneBranch = "backbone";
export const teacherBranch = "teacher";
/** Of the network that others have trained and of which a target is made. */
export const networkBranch = "target_network";

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
  readonly branchOf: BranchOf;
  /** One for each objective. */
  readonly objectives: readonly ObjectiveBranches[];
  /** Of the losses of each head, within the head's. */
  readonly heads: readonly (readonly (string | null)[])[];
  /** Of the losses between inputs, within the model's. */
  readonly comparisons: readonly (string | null)[];
  /** Of the losses between views, within the model's. */
  readonly viewComparisons: readonly (string | null)[];
  /** The branches that make up tokens, positions and encoders, by their dotted names. */
  readonly backbone: readonly string[];
  /** Of branches; what lies below one belongs to the same part. */
  readonly owners: ReadonlyMap<ParameterTree, Owner>;
}

/** Adds what a decoder knows of the places of the inputs that it reads. */
function putDecoderPositions(branches: Branches, objective: Objective): void {
  const { decoder, latent } = objective;
  const width = decoder.definition.width(decoder.values);
  if (width === null) return;
  if (latent.latents) {
    const places = { [latentPositions]: tokensParameter(frontOf(latent), width) };
    putBeside(branches.at(ownLabel(objective)), places, objectiveOwner(ownLabel(objective), "decoder"));
  }
  for (const input of inputsOf(objective)) {
    const { label, within } = inputPlace(objective, input);
    const growing = nested(branches.at(label), within);
    const extra = inputsOf(objective).length === 1 ? extraTokensOf(latent) : 0;
    const owner = objectiveOwner(label, "decoder", "positions");
    putBeside(growing, positionsUnder(decoderPositions, input, width, extra), {
      ...owner,
      ...placesHeld(input, extra),
    });
    if (hasMark(input)) putBeside(growing, { [decoderMark]: tokenParameter(width) }, owner);
  }
}

/** The label under which a decoder has what belongs to no one input. */
const ownLabel = ({ label, together }: Pick<Objective, "label" | "together">): string | null =>
  together ? null : label;

/** Whether a learned vector of the input is added to its tokens. */
export const hasMark = ({ positions }: InputPart): boolean =>
  positions?.definition.marksInput?.(positions.values) ?? false;

/** Where weights lie: under a label, and within that under a path. */
interface Place {
  readonly label: string | null;
  readonly within: readonly string[];
}

/**
 * Where a decoder keeps what it knows of an input: with the input, and a decoder with a label under its own, among the inputs that it
 * reads.
 */
function inputPlace({ label, together }: Pick<Objective, "label" | "together">, input: InputPart): Place {
  const own = ownLabel({ label, together });
  return own === null || input.label === null
    ? { label: own ?? input.label, within: [] }
    : { label: own, within: ["inputs", input.label] };
}

/** What a decoder adds to latents; null: it reads none. `w`: the weights of the model. */
export function latentPlaces(
  branchOf: BranchOf,
  objective: Pick<Objective, "label" | "together">,
  w: WeightTree,
): Tensor | null {
  return (weightsUnder(w, branchOf(ownLabel(objective)))[latentPositions] ?? null) as Tensor | null;
}

/** What a decoder knows of an input. `w`: the weights of the model. */
export function inputWeights(
  branchOf: BranchOf,
  objective: Pick<Objective, "label" | "together">,
  input: InputPart,
  w: WeightTree,
): WeightTree {
  const { label, within } = inputPlace(objective, input);
  return within.reduce((tree, name) => (tree[name] ?? {}) as WeightTree, weightsUnder(w, branchOf(label)));
}

/** Adds what an objective trains besides the encoder; gives where its own encoder and its losses find theirs, within a branch that is not known yet. */
function putObjective(branches: Branches, parts: Parts, objective: Objective): ObjectiveBranches {
  const { label, decoder, target, input, latent, encoder, losses, together } = objective;
  const growing = branches.at(label);
  const encoderWidth = widthOf(latent);
  const outputs = outputsOf(objective);
  const whole = readsWhole(parts, objective);
  const codeWidth = encoder === null ? null : encoder.definition.width(encoder.values);
  if (together) {
    const { several } = decoder.definition;
    invariant(several, "the checker lets through only decoders that predict one target, or several");
    putBeside(growing, several.head(decoder.values, outputs), objectiveOwner(label, "decoder"));
  } else {
    const sequences = target.definition.sequences?.(target.values) ?? 1;
    putDecoderPositions(branches, objective);
    if (objective === parts.objectives[0] && !isBehindLatents(parts, input)) putHiddenToken(branches, parts, null);
    const inputs = inputsOf(objective).flatMap((one) => one.label ?? []);
    const of = { inputs, whole, grid: input.grid, maps: mapsUnder(latent) };
    const context = { encoderWidth, outputs, codeWidth, sequences, ...of };
    putBeside(growing, decoder.definition.parameters(decoder.values, context), objectiveOwner(label, "decoder"));
  }
  if (codeWidth !== null) {
    const context = { ...input, width: codeWidth };
    putBeside(growing, target.definition.parameters?.(target.values, context) ?? {}, objectiveOwner(label, "target"));
  }
  const seeing = seeingBeside(growing, parts, latent);
  const network = target.definition.network?.(target.values);
  if (network) putBeside(growing, { [networkBranch]: seeing(network) }, objectiveOwner(label, "target"));
  return {
    branch: null,
    encoder: encoder === null ? null : putCodeEncoder(growing, input, encoder, label),
    losses: losses.map((loss) => putLoss(growing, loss, { encoderWidth, array: input.array }, label, seeing)),
  };
}

/** Whether every token of all inputs is among what a decoder reads. */
export const readsWhole = (parts: Parts, objective: Objective): boolean =>
  !objective.latent.latents &&
  inputsOf(objective).every((input) => objective.latent.inputs.includes(input) && isWhole(parts, input));

/** Adds what stands for the hidden tokens of the input of a label, where something does that is learned. */
function putHiddenToken(branches: Branches, parts: Parts, label: string | null): void {
  const input = parts.inputs.find((one) => one.label === label);
  if (!input?.tokens || hidingOf(parts, input) !== "token") return;
  const isOfDecoder = label === null && parts.objectives.length > 0 && !isBehindLatents(parts, input);
  const owner = isOfDecoder ? objectiveOwner(null, "decoder") : backboneOwner(label, "encoder");
  putBeside(branches.at(label), { [hiddenTokenName(parts, input)]: tokenParameter(inputWidth(parts, input)) }, owner);
}

/** Adds the network of a decoder of several targets. */
function putSharedDecoder(branches: Branches, parts: Parts, objective: Objective): void {
  const { definition, values } = objective.decoder;
  putDecoderPositions(branches, objective);
  const whole = readsWhole(parts, objective);
  const weights = definition.several?.parameters(values, { encoderWidth: widthOf(objective.latent), whole }) ?? {};
  putBeside(branches.root, weights, objectiveOwner(null, "decoder"));
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
  const context = { inputs: [], array: input.array, grid: input.grid, masked: true };
  const owner = objectiveOwner(label, "target", "target.encoder", "positions");
  putBeside(own, table, { ...owner, table: { grid: input.grid, extra } });
  putBeside(own, definition.parameters(values, context), objectiveOwner(label, "target", "target.encoder"));
  return putUnder(growing, own.tree, "encoder");
}

/** The places whose positions a table holds; nothing where they are computed. */
const placesHeld = ({ positions, grid }: InputPart, extra: number): Pick<Owner, "table"> =>
  positions?.definition.computed ? {} : { table: { grid, extra } };

/** The positions of an input under their name; none where nothing of them is a weight. */
const positionsUnder = (name: string, input: InputPart, width: number, extra: number): Record<string, ParameterTree> =>
  isTurned(input) ? {} : { [name]: positionTable(input, width, extra) };

function positionTable({ positions, grid }: InputPart, width: number, extra: number): ParameterTree {
  invariant(positions, "only tokens have positions");
  return positions.definition.table(positions.values, { grid, extra, width });
}

/** Part of what sees inputs: with a label by the part's name and label. */
const backboneOwner = (label: string | null, ...names: readonly string[]): Owner => ({
  parts: label === null ? names : [...names, `${names.at(-1)}.${label}`],
  role: names.join("/"),
  label,
});

/** Adds positions and tokens of an input, as wide as the encoder that reads it. */
function putInput(branches: Branches, parts: Parts, input: InputPart): void {
  const { label, tokens, array } = input;
  if (!tokens) return;
  const growing = branches.at(label);
  // What is only predicted is not encoded.
  if (!parts.encoders.some(({ reads }) => reads.includes(input))) return;
  const [width, extra] = [inputWidth(parts, input), extraRows(parts, input)];
  const owner = backboneOwner(label, "encoder", "positions");
  putBeside(growing, positionsUnder(encoderPositions, input, width, extra), { ...owner, ...placesHeld(input, extra) });
  if (hasMark(input)) putBeside(growing, { [encoderMark]: tokenParameter(width) }, owner);
  const own = tokens.definition.parameters(tokens.values, { array, width });
  putBeside(growing, own, { ...backboneOwner(label, "encoder", "tokens"), channels: array.channels });
  if (isBehindLatents(parts, input)) putHiddenToken(branches, parts, label);
}

/** Features of the tokens of an input: as many as the encoders that read them have. */
function inputWidth({ encoders }: Parts, input: InputPart): number {
  const reader = encoders.find(({ reads }) => reads.includes(input));
  invariant(reader, "an input that is encoded has an encoder");
  return reader.block.definition.width(reader.block.values);
}

function putEncoder(
  branches: Branches,
  { label, block: { definition, values }, inputs, reads, latents }: EncoderPart,
  masked: boolean,
): void {
  const joins = reads.length > 1;
  const several = joins ? inputs.flatMap((input) => input.label ?? []) : [];
  const { array, grid } = inputs[0] as InputPart;
  const context = { inputs: several, array, grid, masked };
  const { maps } = definition;
  const owner = backboneOwner(label, "encoder");
  const reading = maps ? { channels: array.channels, kernel: maps.reads(values) } : {};
  putBeside(branches.at(label), definition.parameters(values, context), { ...owner, ...reading });
  if (!latents) return;
  const asked = latents.definition.parameters(latents.values, { encoderWidth: definition.width(values) });
  putBeside(branches.at(label), asked, backboneOwner(label, "encoder", "latents"));
}

/** Positions, tokens and encoders: what sees a sample. `last`: the encoder that it ends with; if absent, all. */
function backboneOf(parts: Parts, branches = new Branches(), last: EncoderPart | null = null): Branches {
  const isIn = (encoder: EncoderPart): boolean =>
    last === null || encoder === last || last.reads.some((read) => isEncoder(read) && isPartOf(read, encoder));
  for (const input of parts.inputs) {
    if (last === null || last.inputs.includes(input)) putInput(branches, parts, input);
  }
  for (const encoder of parts.encoders) if (isIn(encoder)) putEncoder(branches, encoder, parts.masks.length > 0);
  return branches;
}

const isPartOf = (reader: EncoderPart, encoder: EncoderPart): boolean =>
  reader === encoder || reader.reads.some((read) => isEncoder(read) && isPartOf(read, encoder));

/** A second set of the weights of an encoder and of all that it reads, under the names that they have in the model. */
const copyOf = (parts: Parts, last: EncoderPart, branchOf: BranchOf): ParameterTree =>
  backboneOf(parts, new Branches(), last).joinedAs(branchOf);

/** What declares the weights of a given network that sees what an encoder sees, each in the place that it has beside an encoder of its own. */
const seeingBeside =
  ({ owners }: Growing, parts: Parts, beside: EncoderPart): LossContext["seeing"] =>
  (given) => {
    const network = networkBeside(beside, given);
    const own = backboneOf({ ...parts, encoders: [network] }, new Branches(), network);
    const tree = givenNetwork(own.root.tree);
    for (const [name, branch] of Object.entries(own.root.tree))
      owners.set(tree[name] as ParameterTree, own.owners.get(branch) as Owner);
    return tree;
  };

/** Adds what judges predictions. */
function putAdversary(
  growing: Growing,
  parts: Parts,
  { block: { definition, values }, backbone }: AdversaryPart,
): readonly Later[] {
  const owner: Owner = { parts: ["adversary"], role: "adversary", label: null };
  const own: Growing = { tree: {}, owners: growing.owners };
  putBeside(own, definition.parameters(values, { encoderWidth: widthOf(backbone) }), owner);
  putBeside(growing, { [adversaryBranch]: own.tree }, owner);
  if (definition.backbone(values) !== "separate") return [];
  const put = keepName(own, backboneBranch, owner);
  return [(_, branchOf) => put(own.tree, copyOf(parts, backbone, branchOf))];
}

/** Adds the slow copy of an encoder, and of heads behind it. */
function putTeacher(growing: Growing, parts: Parts, { block, student, vectors }: TeacherPart): Later {
  const put = keepName(growing, teacherBranch, { parts: ["teacher"], role: "teacher", label: null });
  return (root, branchOf) => {
    const own = backboneOf(parts, new Branches(), student);
    for (const one of vectors) putVectors(own, one);
    const unjudged = parts.objectives.map((objective) => ({ ...objective, losses: [] }));
    if (block.definition.predicts) putObjectives(own, { ...parts, objectives: unjudged });
    put(root, slowCopy(own.joinedAs(branchOf)));
  };
}

/** Adds decoders, and what each objective trains besides the encoder. */
function putObjectives(branches: Branches, parts: Parts): readonly ObjectiveBranches[] {
  const shared = parts.objectives.find(({ together }) => together);
  if (shared) putSharedDecoder(branches, parts, shared);
  return parts.objectives.map((objective) => putObjective(branches, parts, objective));
}

export function modelWeights(parts: Parts): ModelWeights {
  const branches = backboneOf(parts);
  const { root, owners } = branches;
  const backbone = branches.paths();
  const later = [
    ...(parts.adversary ? putAdversary(root, parts, parts.adversary) : []),
    ...(parts.teacher ? [putTeacher(root, parts, parts.teacher)] : []),
  ];
  for (const input of parts.inputs) {
    if (input.label !== null && !isBehindLatents(parts, input)) putHiddenToken(branches, parts, input.label);
  }
  const placed = putObjectives(branches, parts);
  // Without a decoder to stand with, it stands with the encoder.
  if (parts.objectives.length === 0) putHiddenToken(branches, parts, null);
  const heads = parts.heads.map((head) => putHead(branches, head));
  for (const one of parts.vectors) putVectors(branches, one);
  const viewComparisons = parts.viewComparisons.map(({ loss, of }) =>
    putLoss(
      root,
      loss,
      { encoderWidth: vectorWidth(of), array: (encoderUnder(of).inputs[0] as InputPart).array },
      null,
    ),
  );
  const comparisons = parts.comparisons.map(({ loss, between: [{ encoder }] }) =>
    putLoss(root, loss, { encoderWidth: widthOf(encoder), array: (encoder.inputs[0] as InputPart).array }, null),
  );
  const { parameters, branchOf } = branches.joined();
  for (const put of later) put(parameters as OpenTree, branchOf);
  const objectives = placed.map((one, i) => ({ ...one, branch: branchOf(parts.objectives[i]?.label ?? null) }));
  const paths = backbone.map(({ label, name }) => [...(label === null ? [] : [branchOf(label)]), name].join("."));
  return { parameters, branchOf, objectives, heads, comparisons, viewComparisons, backbone: paths, owners };
}

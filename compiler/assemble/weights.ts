/**
 * The weights of a model in one tree, and where each objective and loss finds its own: without a label at the root, with
 * one under it.
 */

import { type Adversary, type Encoder, type ParameterTree, slowCopy, type Weights } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { layoutOf } from "./layout.js";
import type { Objective, Part, Parts } from "./parts.js";

/** Weights of the whole model: tensors nested under the names of a checkpoint. */
export type WeightTree = Weights<{ readonly [name: string]: ParameterTree }>;

/** Weight names that the assembly itself gives. */
export const encoderPositions = "pos_embed";
export const decoderPositions = "decoder_pos_embed";

/** Branches of what stands beside the model and its objectives. */
export const adversaryBranch = "adversary";
export const backboneBranch = "backbone";
export const teacherBranch = "teacher";

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
  /** The names at the root that make up tokens, positions and encoder. */
  readonly backbone: readonly string[];
}

type OpenTree = Record<string, ParameterTree>;

/** Puts weights beside the others; two parts that use one name are a mistake in a block. */
function putBeside(tree: OpenTree, own: ParameterTree): void {
  const twice = Object.keys(own).find((name) => name in tree);
  invariant(twice === undefined, `two blocks declare the weight ${twice}`);
  Object.assign(tree, own);
}

/** Puts weights under a label, `label_2` where a weight is called like it; gives the name. */
function putUnder(tree: OpenTree, own: ParameterTree, label: string): string {
  let name = label;
  for (let i = 2; name in tree; i++) name = `${label}_${i}`;
  tree[name] = own;
  return name;
}

const isEmpty = (tree: ParameterTree): boolean => Object.keys(tree).length === 0;

/** Adds what an objective trains besides the encoder; gives where its own encoder and its losses find theirs. */
function putObjective(
  tree: OpenTree,
  parts: Parts,
  { label, decoder, target, encoder, losses }: Objective,
): Omit<ObjectiveBranches, "branch"> {
  const encoderWidth = parts.encoder.definition.width(parts.encoder.values);
  const outputs = target.definition.outputs(target.values, { ...parts, width: encoderWidth });
  const enters = label === null && decoder.definition.enter !== undefined;
  const codeWidth = encoder === null ? null : encoder.definition.width(encoder.values);
  const sequences = target.definition.sequences?.(target.values) ?? 1;
  const width = decoder.definition.width(decoder.values);
  if (width !== null) putBeside(tree, { [decoderPositions]: positionTable(parts, width) });
  putBeside(
    tree,
    decoder.definition.parameters(decoder.values, { encoderWidth, outputs, codeWidth, sequences, enters }),
  );
  if (codeWidth !== null) {
    putBeside(tree, target.definition.parameters?.(target.values, { ...parts, width: codeWidth }) ?? {});
  }
  const own = losses.map(({ definition, values }) => definition.parameters?.(values, { encoderWidth }) ?? {});
  for (const [i, { label }] of losses.entries()) if (label === null) putBeside(tree, own[i] as ParameterTree);
  return {
    encoder: encoder === null ? null : putUnder(tree, codeParameters(parts, encoder), "encoder"),
    losses: losses.map(({ label }, i) => {
      const weights = own[i] as ParameterTree;
      return label === null || isEmpty(weights) ? null : putUnder(tree, weights, label);
    }),
  };
}

/** The weights of a target's encoder, with positions for its tokens. */
const codeParameters = (parts: Parts, { definition, values }: Part<Encoder>): ParameterTree => ({
  [encoderPositions]: positionTable(parts, definition.width(values), definition.extraTokens(values)),
  ...(definition.parameters(values) as OpenTree),
});

const positionTable = (parts: Parts, width: number, extra = layoutOf(parts).extra): ParameterTree => {
  const { positions, grid } = parts;
  return positions.definition.table(positions.values, { grid, extra, width });
};

/** Positions, tokens and encoder: what sees an image. */
function backboneParameters(parts: Parts): OpenTree {
  const { encoder, tokens, image } = parts;
  const width = encoder.definition.width(encoder.values);
  const tree: OpenTree = {};
  putBeside(tree, { [encoderPositions]: positionTable(parts, width) });
  putBeside(tree, tokens.definition.parameters(tokens.values, { image, width }));
  putBeside(tree, encoder.definition.parameters(encoder.values));
  return tree;
}

/** Adds what judges predictions. */
function putAdversary(tree: OpenTree, parts: Parts, { definition, values }: Part<Adversary>): void {
  const encoderWidth = parts.encoder.definition.width(parts.encoder.values);
  const own: OpenTree = {};
  putBeside(own, definition.parameters(values, { encoderWidth }));
  if (definition.backbone(values) === "separate") putBeside(own, { [backboneBranch]: backboneParameters(parts) });
  putBeside(tree, { [adversaryBranch]: own });
}

export function modelWeights(parts: Parts): ModelWeights {
  const tree = backboneParameters(parts);
  const backbone = Object.keys(tree);
  if (parts.adversary) putAdversary(tree, parts, parts.adversary);
  if (parts.teacher) putBeside(tree, { [teacherBranch]: slowCopy(backboneParameters(parts)) });
  const objectives = parts.objectives.map((objective): ObjectiveBranches => {
    if (objective.label === null) return { branch: null, ...putObjective(tree, parts, objective) };
    const inner: OpenTree = {};
    const placed = putObjective(inner, parts, objective);
    return { branch: putUnder(tree, inner, objective.label), ...placed };
  });
  return { parameters: tree, objectives, backbone };
}

/** The weights under a branch. */
export const weightsUnder = (w: WeightTree, branch: string | null): WeightTree =>
  branch === null ? w : (w[branch] as WeightTree);

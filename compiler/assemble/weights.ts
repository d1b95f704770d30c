/**
 * The weights of a model in one tree, and where each objective and loss finds its own: without a label at the root, with
 * one under it.
 */

import type { ParameterTree, Weights } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { layoutOf } from "./layout.js";
import type { Objective, Parts } from "./parts.js";

/** Weights of the whole model: tensors nested under the names of a checkpoint. */
export type WeightTree = Weights<{ readonly [name: string]: ParameterTree }>;

/** Weight names that the assembly itself gives. */
export const encoderPositions = "pos_embed";
export const decoderPositions = "decoder_pos_embed";

/** Names of branches; null: the weights stand beside those of the rest. */
export interface ObjectiveBranches {
  readonly branch: string | null;
  /** Within the objective's, one for each loss. */
  readonly losses: readonly (string | null)[];
}

export interface ModelWeights {
  readonly parameters: ParameterTree;
  /** One for each objective. */
  readonly objectives: readonly ObjectiveBranches[];
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

/** Adds what an objective trains besides the encoder; gives where its losses find theirs. */
function putObjective(
  tree: OpenTree,
  parts: Parts,
  { label, decoder, target, losses }: Objective,
): readonly (string | null)[] {
  const encoderWidth = parts.encoder.definition.width(parts.encoder.values);
  const outputs = target.definition.outputs(target.values, parts);
  const enters = label === null && decoder.definition.enter !== undefined;
  const width = decoder.definition.width(decoder.values);
  if (width !== null) putBeside(tree, { [decoderPositions]: positionTable(parts, width) });
  putBeside(tree, decoder.definition.parameters(decoder.values, { encoderWidth, outputs, enters }));
  const own = losses.map(({ definition, values }) => definition.parameters?.(values, { encoderWidth }) ?? {});
  for (const [i, { label }] of losses.entries()) if (label === null) putBeside(tree, own[i] as ParameterTree);
  return losses.map(({ label }, i) => {
    const weights = own[i] as ParameterTree;
    return label === null || isEmpty(weights) ? null : putUnder(tree, weights, label);
  });
}

const positionTable = (parts: Parts, width: number): ParameterTree => {
  const { positions, grid } = parts;
  return positions.definition.table(positions.values, { grid, extra: layoutOf(parts).extra, width });
};

export function modelWeights(parts: Parts): ModelWeights {
  const { encoder, tokens, image } = parts;
  const width = encoder.definition.width(encoder.values);
  const tree: OpenTree = {};
  putBeside(tree, { [encoderPositions]: positionTable(parts, width) });
  putBeside(tree, tokens.definition.parameters(tokens.values, { image, width }));
  putBeside(tree, encoder.definition.parameters(encoder.values));
  const objectives = parts.objectives.map((objective): ObjectiveBranches => {
    if (objective.label === null) return { branch: null, losses: putObjective(tree, parts, objective) };
    const inner: OpenTree = {};
    const losses = putObjective(inner, parts, objective);
    return { branch: putUnder(tree, inner, objective.label), losses };
  });
  return { parameters: tree, objectives };
}

/** The weights under a branch. */
export const weightsUnder = (w: WeightTree, branch: string | null): WeightTree =>
  branch === null ? w : (w[branch] as WeightTree);

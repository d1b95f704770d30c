/**
 * A checked model -> a model that can be traced. It is the same model that `emit` prints, run in this process without
 * printing: for shapes, parameters, FLOPs and memory.
 */

import type { Adversary, AdversaryProgram, Bound, Losses, ModelProgram, ParameterTree } from "../../blocks/index.js";
import { bindMask, bindPicture, bindTeacher, everythingVisible } from "../../blocks/index.js";
import { type Builder, invariant, type Tensor } from "../../graph/index.js";
import type { Model } from "../model.js";
import { fieldsOf } from "./fields.js";
import type { FunctionCode, FunctionInputs, ModelFunction, Result } from "./function.js";
import { functionsOf } from "./functions.js";
import { layoutOf } from "./layout.js";
import { type Parts, partsOf } from "./parts.js";
import { adversaryBranch, modelWeights, type WeightTree } from "./weights.js";

export interface Assembly {
  readonly model: Model;
  readonly parts: Parts;
  readonly parameters: ParameterTree;
  readonly functions: readonly ModelFunction[];
  /** Names at the root of the weights that make up what sees an image. */
  readonly backbone: readonly string[];
}

/** Puts a model without findings together. */
export function assemble(model: Model): Assembly {
  const parts = partsOf(model);
  const weights = modelWeights(parts);
  const { parameters, backbone } = weights;
  return { model, parts, parameters, functions: functionsOf(parts, weights), backbone };
}

/** Runs layers at once and keeps nothing. `layers` cuts every fold short. */
export const tracingCode = (g: Builder, w: WeightTree, layers?: number): FunctionCode => ({
  let: (_, layer, ...args) => layer(g, ...(args as never[])) as Tensor,
  fold: (_, list, start, layer, ...args) =>
    list
      .slice(0, layers)
      .reduce<Tensor>((x, weights) => layer(g, ...([x, weights, ...args] as never[])) as Tensor, start),
  call: (_, f, ...args) => run(f, g, w, args) as Tensor,
});

/** Calls a function of the model with its arguments in their order. */
function run(f: ModelFunction, g: Builder, w: WeightTree, args: readonly unknown[], layers?: number): Result {
  const inputs = Object.fromEntries(f.inputs.map((name, i) => [name, args[i]])) as unknown as FunctionInputs;
  return f.body(tracingCode(g, w, layers), w, inputs);
}

/** Which weights an adversary trains, alone and with the model, and when. */
export const adversaryGroups = (
  { backbone }: Pick<Assembly, "backbone">,
  { definition, values }: Bound<Adversary>,
): Omit<AdversaryProgram, "loss"> => ({
  own: [adversaryBranch],
  shared: definition.backbone(values) === "shared" ? backbone : [],
  update: definition.update(values),
});

/** The assembled model as a program, without printing it first. */
export function programOf(assembly: Assembly): ModelProgram {
  const { parts, model, parameters } = assembly;
  const named = (name: string): ModelFunction => {
    const found = assembly.functions.find((f) => f.name === name);
    invariant(found, `no function ${name} in ${model.name}`);
    return found;
  };
  const { encoder, mask, objectives, classes, name, array, grid } = parts;
  const [own] = objectives;
  return {
    name: model.name,
    arrays: { [name]: array },
    grid,
    mask: mask ? bindMask(mask.definition, mask.values, grid) : everythingVisible(grid),
    parameters,
    extraTokens: layoutOf(parts).extra,
    layers: encoder.definition.layers(encoder.values),
    ...(mask?.definition.guide
      ? { guide: (g, w, batch) => run(named("guide"), g, w as WeightTree, [batch]) as Tensor }
      : {}),
    encode: (g, w, batch) => run(named("encode"), g, w as WeightTree, [batch]) as Tensor,
    features: (g, w, input, layers) => run(named("features"), g, w as WeightTree, [input], layers) as Tensor,
    predict: (g, w, batch) => run(named("predict"), g, w as WeightTree, [batch]) as Tensor,
    loss: (g, w, batch) => run(named("loss"), g, w as WeightTree, [batch]) as Losses,
    ...(own ? { picture: bindPicture(own.target.definition, own.target.values, { array, grid }) } : {}),
    ...(classes ? { classes: classes.head.definition.classes(classes.head.values) } : {}),
    fields: fieldsOf(parts),
    ...(parts.adversary
      ? {
          adversary: {
            ...adversaryGroups(assembly, parts.adversary),
            loss: (g, w, batch) => run(named("adversaryLoss"), g, w as WeightTree, [batch]) as Losses,
          },
        }
      : {}),
    ...(parts.teacher ? { teacher: bindTeacher(parts.teacher.definition, parts.teacher.values) } : {}),
  };
}

/**
 * A checked model -> a model that can be traced. It is the same model that `emit` prints, run in this process without
 * printing: for shapes, parameters, FLOPs and memory.
 */

import type {
  AdversaryProgram,
  Arrays,
  Batch,
  HeadFacts,
  Losses,
  MaskSampler,
  ModelProgram,
  ParameterTree,
} from "../../blocks/index.js";
import {
  bindJointMask,
  bindMask,
  bindMoving,
  bindPicture,
  bindTeacher,
  constantWeights,
  saidBy,
} from "../../blocks/index.js";
import { type Builder, invariant, type Tensor } from "../../graph/index.js";
import type { Model } from "../model.js";
import type { WeightTree } from "./branches.js";
import { fieldsOf } from "./fields.js";
import { type FunctionCode, inputsFrom, type ModelFunction, type Result } from "./function.js";
import { functionsOf } from "./functions.js";
import { guidedMasks } from "./guide.js";
import {
  dropsOf,
  frontOf,
  generates,
  headInput,
  headInputs,
  layersOf,
  layoutOf,
  onlyInput,
  separatorsOf,
} from "./layout.js";
import {
  type AdversaryPart,
  type HeadPart,
  type InputPart,
  isUnseen,
  type MaskPart,
  type Objective,
  type Parts,
  partsOf,
  wholeParts,
} from "./parts.js";
import { movingOf } from "./views.js";
import { adversaryBranch, modelWeights } from "./weights.js";

export interface Assembly {
  readonly model: Model;
  readonly parts: Parts;
  readonly parameters: ParameterTree;
  readonly functions: readonly ModelFunction[];
  /** Branches of the weights that make up what sees inputs. */
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
  call: <R extends Result>(_: string, f: ModelFunction, ...args: readonly unknown[]) => run(f, g, w, args) as R,
  callConstant: (_, f, ...args) => run(f, g, constantWeights(g, w), args) as Tensor,
});

/** Calls a function of the model with its arguments in their order. */
export const run = (f: ModelFunction, g: Builder, w: WeightTree, args: readonly unknown[], layers?: number): Result =>
  f.body(tracingCode(g, w, layers), w, inputsFrom(f, args));

/** Which weights an adversary trains, alone and with the model, and when. */
export const adversaryGroups = (
  { backbone }: Pick<Assembly, "backbone">,
  { block: { definition, values } }: AdversaryPart,
): Omit<AdversaryProgram, "loss"> => ({
  own: [adversaryBranch],
  shared: definition.backbone(values) === "separate" ? [] : backbone,
  update: definition.update(values),
});

const samplerOf = ({ block: { definition, values }, over }: MaskPart): MaskSampler =>
  over.length > 1
    ? bindJointMask(
        definition,
        values,
        over.map(({ grid }) => grid),
      )
    : bindMask(definition, values, (over[0] as InputPart).grid);

/** What a model of several inputs, or with a head, predicts of arrays, by the names of targets, and by which of its functions. */
export function predictionsOf({
  parts: { inputs, objectives, heads },
  functions,
}: Pick<Assembly, "parts" | "functions">): readonly {
  readonly name: string;
  readonly f: string;
  readonly objective: Objective;
}[] {
  if (inputs.length === 1 && heads.length === 0) return [];
  const predicting = functions.filter(({ predicts }) => predicts);
  const shown = objectives.filter(({ imitates }) => imitates === null);
  return predicting.map(({ name: f }, i) => {
    const objective = shown[i] as Objective;
    return { name: objective.label ?? objective.input.name, f, objective };
  });
}

/** What imitates the prediction of the model's own decoder: by the labels of targets, by which functions, and what that predicts. */
export function imitationsOf({ parts: { objectives }, functions }: Pick<Assembly, "parts" | "functions">): readonly {
  readonly name: string;
  readonly f: string;
  readonly imitates: Objective;
}[] {
  const imitating = functions.filter(({ imitates }) => imitates);
  const found = objectives.flatMap(({ label, imitates }) => (imitates ? [{ name: label ?? "", imitates }] : []));
  return found.map((one, i) => ({ ...one, f: (imitating[i] as ModelFunction).name }));
}

/** What encoders of a model of several inputs can be asked for, by name. */
export const encodingsOf = ({
  functions,
}: Pick<Assembly, "functions">): readonly {
  readonly name: string;
  readonly f: string;
  readonly extraTokens: number;
}[] => {
  const all = functions.flatMap(({ name: f, encoding }) => (encoding ? [{ f, ...encoding }] : []));
  // Where another encoder reads the one that gives the features, there are two functions of one name.
  return all.filter(({ name }, i) => all.findIndex((other) => other.name === name) === i);
};

/** What a head says of the first input that it sees. */
export function headFacts(head: HeadPart): HeadFacts {
  const { definition, values } = head.block;
  const { array, grid } = headInput(head);
  if (saidBy(definition) === "moves") {
    const [moving, fixed] = headInputs(head).map(({ name }) => name) as [string, string];
    return { registers: { moving, fixed } };
  }
  if (saidBy(definition) === "values") return { values: true };
  if (saidBy(definition) === "number") return { number: true };
  return {
    classes: definition.classes(values),
    ...(head.losses.every((loss) => loss.definition.several) ? { severalClasses: true as const } : {}),
    ...(definition.detector ? { detector: definition.detector(values, { array, grid }) } : {}),
    ...(saidBy(definition) === "places" ? { places: true } : {}),
    ...(definition.parts ? { parts: definition.parts(values) } : {}),
  };
}

/** The masks over whole samples: of a model that sees views, where something of them is predicted. */
export const wholeMasks = (parts: Parts): readonly MaskPart[] => wholeParts(parts).masks;

const viewsOf = ({ streams }: Parts): NonNullable<ModelProgram["views"]> =>
  Object.fromEntries(
    streams.map(({ name, count, of, input, shared, mask }) => [
      name,
      {
        ...{ of: of.name, count, array: input.array },
        ...(shared ? { shared: true as const } : {}),
        ...(mask ? { mask: samplerOf(mask) } : {}),
      },
    ]),
  );

/** The assembled model as a program, without printing it first. */
export function programOf(assembly: Assembly): ModelProgram {
  const { parts, model, parameters } = assembly;
  const named = (name: string): ModelFunction => {
    const found = assembly.functions.find((f) => f.name === name);
    invariant(found, `no function ${name} in ${model.name}`);
    return found;
  };
  const { encoder, inputs, objectives, heads } = wholeParts(parts);
  const predicts = assembly.functions.some(({ name }) => name === "predict");
  const moving = movingOf(parts);
  const drops = dropsOf(parts).flatMap((own) => own.drops);
  const [own] = heads.length === 0 ? objectives : [];
  const [head] = heads;
  const guides = guidedMasks(parts);
  const byName = <V>(value: (input: InputPart) => V): Readonly<Record<string, V>> =>
    Object.fromEntries(inputs.map((input) => [input.name, value(input)]));
  const predictions = predictionsOf(assembly);
  const imitations = imitationsOf(assembly);
  const encodings = encodingsOf(assembly);
  return {
    name: model.name,
    arrays: byName(({ array }) => array),
    grids: byName(({ grid }) => grid),
    masks: Object.fromEntries(wholeMasks(parts).map((one) => [one.name, samplerOf(one)])),
    ...(parts.streams.length > 0 ? { views: viewsOf(parts) } : {}),
    ...(moving.length > 0
      ? { moving: Object.assign({}, ...moving.map(({ term, loss }) => bindMoving(loss.definition, loss.values, term))) }
      : {}),
    parameters,
    backbone: assembly.backbone,
    extraTokens: layoutOf(parts).extra,
    ...(encoder.latents ? { latents: frontOf(encoder) } : {}),
    ...(separatorsOf(encoder) > 0 ? { separators: separatorsOf(encoder) } : {}),
    layers: layersOf(encoder),
    ...(guides.length > 0
      ? {
          guides: Object.fromEntries(
            guides.map(({ mask, f }) => [
              mask,
              { order: (g: Builder, w: unknown, batch: Batch) => run(named(f), g, w as WeightTree, [batch]) as Tensor },
            ]),
          ),
        }
      : {}),
    encode: (g, w, batch) => run(named("encode"), g, w as WeightTree, [batch]) as Tensor,
    features: (g, w, arrays, layers) => run(named("features"), g, w as WeightTree, [arrays], layers) as Tensor,
    ...(predicts
      ? {
          predict: (g: Builder, w: unknown, batch: Batch) =>
            run(named("predict"), g, w as WeightTree, [batch]) as Tensor,
        }
      : {}),
    loss: (g, w, batch) => run(named("loss"), g, w as WeightTree, [batch]) as Losses,
    ...(own ? { picture: bindPicture(own.target.definition, own.target.values, own.input) } : {}),
    ...(generates(parts)
      ? {
          codes: {
            count: onlyInput(parts).codes as number,
            of: (g: Builder, w: unknown, arrays: Arrays) => run(named("codes"), g, w as WeightTree, [arrays]) as Tensor,
            draw: (g: Builder, w: unknown, codes: Tensor) => run(named("draw"), g, w as WeightTree, [codes]) as Tensor,
          },
        }
      : {}),
    ...(predictions.length > 0
      ? {
          predictions: Object.fromEntries(
            predictions.map(({ name, f, objective: { input, target, latent } }) => [
              name,
              {
                array: input.name,
                ...(isUnseen({ input, latent }) ? { unseen: true as const } : {}),
                predict: (g: Builder, w: unknown, batch: Batch) => run(named(f), g, w as WeightTree, [batch]) as Tensor,
                picture: bindPicture(target.definition, target.values, input),
              },
            ]),
          ),
        }
      : {}),
    ...(imitations.length > 0
      ? {
          imitations: Object.fromEntries(
            imitations.map(({ name, f, imitates: { input, target } }) => [
              name,
              {
                array: input.name,
                predict: (g: Builder, w: unknown, batch: Batch) => run(named(f), g, w as WeightTree, [batch]) as Tensor,
                picture: bindPicture(target.definition, target.values, input),
              },
            ]),
          ),
        }
      : {}),
    ...(encodings.length > 0
      ? {
          encodings: Object.fromEntries(
            encodings.map(({ name, f, extraTokens }) => [
              name,
              {
                extraTokens,
                features: (g: Builder, w: unknown, arrays: Arrays) =>
                  run(named(f), g, w as WeightTree, [arrays]) as Tensor,
              },
            ]),
          ),
        }
      : {}),
    ...(head ? headFacts(head) : {}),
    fields: fieldsOf(parts),
    ...(drops.length > 0 ? { drops } : {}),
    ...(parts.adversary
      ? {
          adversary: {
            ...adversaryGroups(assembly, parts.adversary),
            loss: (g, w, batch) => run(named("adversaryLoss"), g, w as WeightTree, [batch]) as Losses,
          },
        }
      : {}),
    ...(parts.teacher ? { teacher: bindTeacher(parts.teacher.block.definition, parts.teacher.block.values) } : {}),
  };
}

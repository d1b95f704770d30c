/** Follows the wires of a checked model to its views, the heads behind which they are compared, and what a teacher follows. */

import { type ArrayShape, arrayOfStream, cellsUnder, type Lattice } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { comparesViews, givesVectors } from "../wire/roles.js";
import { namesAt, ownParts, sourceAt, sourcesAt } from "../wire/wiring.js";
import { boundOf } from "./arrays.js";
import {
  atMostOne,
  chainOf,
  type Encoders,
  encoderUnder,
  type InputPart,
  labelledLoss,
  type MaskPart,
  type ModelPart,
  type ModelWiring,
  mapsOf,
  type StreamPart,
  type TeacherPart,
  type VectorPart,
  type ViewComparison,
} from "./part.js";

/** The heads of vectors, by their parts, each after what it reads. A head has its weights under its label where there are others. */
export function vectorsOf(wiring: ModelWiring, encoders: Encoders): ReadonlyMap<ModelPart, VectorPart> {
  const all = ownParts(wiring, "head");
  const known = new Map<ModelPart, VectorPart>();
  const add = (part: ModelPart): VectorPart => {
    const before = known.get(part);
    if (before) return before;
    const source = sourceAt(wiring, part, "latent");
    invariant(source, "the checker lets through only heads that read something");
    const vectors: VectorPart = {
      label: all.length === 1 ? null : part.line.label,
      block: boundOf("head", part),
      reads: encoders.get(source) ?? add(source),
    };
    known.set(part, vectors);
    return vectors;
  };
  for (const part of all) if (givesVectors(part.definition)) add(part);
  return known;
}

const isStudentOnly = ({ block }: VectorPart): boolean => block.definition.vectors?.studentOnly === true;

/** The teacher follows what it names and all that this reads; of heads, where it names none, all that are not a student's alone. */
export function teacherOf(
  wiring: ModelWiring,
  encoders: Encoders,
  vectors: ReadonlyMap<ModelPart, VectorPart>,
): TeacherPart | null {
  const part = atMostOne(wiring, "teacher");
  if (!part) return null;
  const named = namesAt(wiring, part, "student") !== null;
  const sources = sourcesAt(wiring, part, "student");
  const heads = sources.flatMap((source) => vectors.get(source) ?? []);
  const [student] = [...sources.flatMap((source) => encoders.get(source) ?? []), ...heads.map(encoderUnder)];
  invariant(student, "the checker lets through only teachers of an encoder");
  const followed = new Set(heads.flatMap(chainOf));
  return {
    block: boundOf("teacher", part),
    student,
    vectors: [...vectors.values()].filter((one) =>
      named ? followed.has(one) : !isStudentOnly(one) && encoderUnder(one) === student,
    ),
  };
}

/** The losses between views, with what they compare. */
export const viewComparisonsOf = (
  wiring: ModelWiring,
  encoders: Encoders,
  vectors: ReadonlyMap<ModelPart, VectorPart>,
): readonly ViewComparison[] =>
  wiring.parts.flatMap((part): readonly ViewComparison[] => {
    if (!comparesViews(part.definition)) return [];
    const source = sourceAt(wiring, part, "vectors");
    const of = source && (vectors.get(source) ?? encoders.get(source));
    invariant(of, "the checker lets through only losses of views of one part");
    return [{ loss: labelledLoss(part), of }];
  });

/** The views that training sees of the only input. */
export function streamsOf(
  wiring: ModelWiring,
  inputs: readonly InputPart[],
  masks: readonly MaskPart[],
  teacher: TeacherPart | null,
): readonly StreamPart[] {
  const part = atMostOne(wiring, "views");
  const [input] = inputs;
  if (!part || !input) return [];
  const { definition, values } = boundOf("view", part);
  const [mask = null] = masks;
  const isOn = (names: readonly string[] | null | undefined, name: string): boolean => names?.includes(name) ?? true;
  return definition.streams(values).map((stream): StreamPart => {
    const { name, count } = stream;
    const array = arrayOfStream(stream, input.array);
    const grid = stream.size === null ? input.grid : gridUnder(wiring, input, array);
    const seen = { ...input, name, array, grid, ...(grid === input.grid ? {} : { table: input.grid }) };
    return {
      name,
      count,
      shared: definition.shared(values),
      of: input,
      input: seen,
      mask:
        mask && isOn(mask.block.definition.on?.(mask.block.values), name)
          ? { ...mask, name, label: name, over: [seen] }
          : null,
      isTaught: teacher !== null && isOn(teacher.block.definition.on?.(teacher.block.values), name),
    };
  });
}

/** How a view is cut: into tokens, or the cells of an encoder of maps. */
function gridUnder(wiring: ModelWiring, { tokens }: InputPart, array: ArrayShape): Lattice {
  if (tokens) return tokens.definition.grid(tokens.values, array);
  const [encoder] = ownParts(wiring, "encoder");
  invariant(encoder, "what has no tokens is read by an encoder of maps");
  const { definition, values } = boundOf("encoder", encoder);
  return cellsUnder(mapsOf(definition), values, array);
}

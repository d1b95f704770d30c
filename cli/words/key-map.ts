/** What a stage of a pipeline starts with, in words: a line for each part where that says it, else for each weight, those of all layers in one. */

import type { Mapping, MappingStatus, RecipeStart } from "../../compiler/index.js";
import { sameShape, showShape, sizeOf } from "../../graph/index.js";
import { type Colors, count, grouped } from "./terminal.js";
import { anyLayer, collected } from "./weight-lines.js";

/** `pretrain.encoder`, as the spec writes it. */
export const startText = ({ stage, part }: Pick<RecipeStart["takes"][number], "stage" | "part">): string =>
  part === null ? stage : `${stage}.${part}`;

/** How many weights start in which way. */
export function countsOf(mappings: readonly Mapping[]): Readonly<Record<MappingStatus, number>> {
  const counts = { kept: 0, renamed: 0, resized: 0, adapted: 0, computed: 0, new: 0, dropped: 0 };
  for (const { status } of mappings) counts[status] += 1;
  return counts;
}

/** Of a plan's document. The fields are documented in `docs/cli.md`. */
export const mappingDocument = (mapping: Mapping) => ({
  status: mapping.status,
  parts: mapping.parts,
  name: mapping.status === "dropped" ? null : mapping.name,
  shape: mapping.status === "dropped" ? null : mapping.shape,
  from: "from" in mapping ? mapping.from : null,
});

const statusColor = (status: MappingStatus, colors: Colors): ((text: string) => string) => {
  if (status === "new") return colors.yellow;
  return status === "dropped" ? colors.dim : colors.green;
};

/** The lines of a key map; of a model that takes nothing, one. */
export function keyMapLines({ takes, mappings }: RecipeStart, colors: Colors): readonly string[] {
  if (takes.length === 0) return ["starts from scratch"];
  const head = `starts from ${takes.map(startText).join(", ")}`;
  if (!mappings) return [head, `  ${colors.yellow("what of it is taken is known when it is here")}`];
  return [
    head,
    ...lines(mappings).map(({ status, text }) => `  ${statusColor(status, colors)(status.padEnd(8))}  ${text}`),
  ];
}

interface Line {
  readonly status: MappingStatus;
  readonly text: string;
}

const order: readonly MappingStatus[] = ["kept", "renamed", "resized", "adapted", "computed", "new", "dropped"];

function lines(mappings: readonly Mapping[]): readonly Line[] {
  return order.flatMap((status) => {
    const own = mappings.filter((mapping) => mapping.status === status);
    const parts = [...new Set(own.map(partOf))];
    return parts.flatMap((part): readonly Line[] => {
      const members = own.filter((mapping) => partOf(mapping) === part);
      const isPlain = status === "kept" || isWhole(status, part, mappings);
      if (isPlain) return [{ status, text: `${part}: ${summary(members)}` }];
      return collected(members.map(mappingText)).map((text) => ({ status, text }));
    });
  });
}

/** The widest part that a weight belongs to, and the stage of one that is dropped. */
const partOf = (mapping: Mapping): string =>
  mapping.status === "dropped" ? `${mapping.from.stage}.${mapping.parts[0]}` : (mapping.parts[0] as string);

/** Whether all of a part is new or dropped. A computed table belongs to either. */
const isWhole = (status: MappingStatus, part: string, mappings: readonly Mapping[]): boolean =>
  (status === "new" || status === "dropped") &&
  mappings.every((mapping) => partOf(mapping) !== part || mapping.status === status || mapping.status === "computed");

const summary = (members: readonly Mapping[]): string => {
  const numbers = members.reduce((sum, mapping) => sum + sizeOf(shapeOf(mapping)), 0);
  return `${count(members.length, "weight")}, ${grouped(numbers)} numbers`;
};

const shapeOf = (mapping: Mapping): readonly number[] =>
  mapping.status === "dropped" ? mapping.from.shape : mapping.shape;

function mappingText(mapping: Mapping): string {
  if (mapping.status === "dropped")
    return `${mapping.from.stage}: ${anyLayer(mapping.from.name)} ${showShape(mapping.from.shape)}`;
  const own = `${anyLayer(mapping.name)} ${showShape(mapping.shape)}`;
  if (mapping.status === "renamed") return `${mapping.from.stage}: ${anyLayer(mapping.from.name)} -> ${own}`;
  if (mapping.status === "resized") {
    const { from, to, turned } = mapping.table;
    if (turned && sameShape(from, to))
      return `${own} from ${showShape(mapping.from.shape)}, its ${from.join("x")} patches in the order of the model`;
    const how = from.length === 2 ? "bicubic" : "cubic along each axis";
    return `${own} from ${showShape(mapping.from.shape)}, ${from.join("x")} to ${to.join("x")} places, ${how}`;
  }
  if (mapping.status === "adapted") {
    const { from, to } = mapping.channels;
    const how = to === 1 ? "summed" : "repeated and scaled";
    return `${own} from ${showShape(mapping.from.shape)}, ${count(from, "channel")} to ${to}, ${how}`;
  }
  if (mapping.status === "new" && mapping.instead)
    return `${own}; ${showShape(mapping.instead.shape)} in ${mapping.instead.stage}`;
  return own;
}

/** `mae import`: weights that others trained, looked at, or brought to a model of a spec as a checkpoint of it. */

import { basename } from "node:path";
import type { Mapping, Model, Recipe } from "../../compiler/index.js";
import type { ForeignWeights } from "../../runtime/index.js";
import { changeOf } from "../runs/weights-from.js";
import { choose, chooseRecipe, openSpec } from "../specs/choose.js";
import { checkOutput, printedPath } from "../specs/files.js";
import { runFailure, usageFailure } from "../words/failure.js";
import { countsOf, keyMapLines, mappingDocument } from "../words/key-map.js";
import { type Colors, count, grouped, print, printJson, stdoutColors, tell } from "../words/terminal.js";
import { anyLayer, collected } from "../words/weight-lines.js";

export interface ImportOptions {
  readonly model?: string;
  readonly fresh?: readonly string[];
  readonly adapt?: "channels";
  readonly out?: string;
  readonly seed?: number;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly config?: string;
}

export async function importWeights(file: string, spec: string | undefined, options: ImportOptions): Promise<void> {
  if (spec === undefined) {
    const lost = (["model", "fresh", "adapt", "out"] as const).find((name) => options[name] !== undefined);
    if (lost)
      throw usageFailure(`--${lost} needs a spec`, { help: `mae import ${printedPath(file)} model.mae --${lost} ...` });
    return look(file, options);
  }
  if (options.out !== undefined) checkOutput(options.out, options.force ?? false);
  const { model, recipe } = await chosen(spec, options);
  const { outlineOf, readForeignWeights } = await import("../../runtime/index.js");
  const found = await readForeignWeights(file);
  const { foreignMap } = await import("../../compiler/index.js");
  const map = foreignMap(model, printedPath(basename(file)), outlineOf(found.weights), {
    fresh: options.fresh ?? [],
    adapt: options.adapt === "channels",
  });
  const [unknown] = map.unknown;
  if (unknown !== undefined) {
    throw usageFailure(`${model.name} has no part "${unknown}" that could start from scratch`, {
      help: `it has ${map.parts.join(", ")}`,
    });
  }
  if (options.json) printJson(document(file, found, map.mappings, model, options.out));
  else print(mapText(file, found, map.mappings, model, stdoutColors()));
  const [strange, ...others] = map.strange;
  if (strange !== undefined) {
    const more = others.length > 0 ? ` and ${others.length} more` : "";
    throw runFailure(`${printedPath(file)} has blocks of another kind than ${model.name}`, {
      reason: `${strange}${more} would be left out, and what the blocks compute would be something else.`,
      help: "change the model so that it has them, or take other weights",
    });
  }
  if (map.unsaid.length > 0) {
    const parts = map.unsaid.join(",");
    throw runFailure(`${printedPath(file)} has no weights for ${map.unsaid.join(", ")} of ${model.name}`, {
      reason: "What starts from random weights has learned nothing yet, and nothing in its results says so.",
      help: `if that is meant, say so: --fresh ${parts}`,
    });
  }
  if (options.out === undefined) {
    if (!options.json) tell("nothing is written; --out FILE writes a checkpoint of the model");
    return;
  }
  await write(options.out, file, found, map.mappings, model, recipe, options.seed);
  if (!options.json)
    tell(`${printedPath(options.out)}: a checkpoint of ${model.name} that eval, features, show and export take`);
}

/** A model and the recipe that says how its data is prepared, without which a checkpoint of it could not be used. */
async function chosen(
  spec: string,
  { model: name, config, out }: ImportOptions,
): Promise<{ model: Model; recipe: Recipe | null }> {
  const analysis = await openSpec(spec, config);
  return out === undefined ? choose(analysis, name) : chooseRecipe(analysis, name);
}

async function write(
  out: string,
  file: string,
  { weights }: ForeignWeights,
  mappings: readonly Mapping[],
  model: Model,
  recipe: Recipe | null,
  seed = 0,
): Promise<void> {
  const { assemble, render } = await import("../../compiler/index.js");
  const { importedWeights, writeImported } = await import("../../runtime/index.js");
  const { parameters } = assemble(model);
  const taken = mappings.flatMap((mapping) =>
    "from" in mapping && mapping.status !== "dropped"
      ? [{ name: mapping.name, from: mapping.from.name, ...changeOf(mapping) }]
      : [],
  );
  const values = await importedWeights(parameters, weights, taken, { file: printedPath(file), seed });
  await writeImported(out, parameters, values, {
    program: model.name,
    seed,
    spec: render(model, recipe, { origin: false }),
  });
}

/** Of a file alone: what it holds, under which names. */
async function look(file: string, { json }: ImportOptions): Promise<void> {
  const { readForeignWeights } = await import("../../runtime/index.js");
  const found = await readForeignWeights(file);
  if (json) return printJson(document(file, found, null, null, undefined));
  const lines = collected([...found.weights].map(([name, { shape }]) => `${anyLayer(name)} [${shape.join(", ")}]`));
  print(`${[header(file, found, stdoutColors()), ...lines.map((line) => `  ${line}`)].join("\n")}\n`);
}

const numbersIn = ({ weights }: ForeignWeights): number =>
  [...weights.values()].reduce((sum, { values }) => sum + values.length, 0);

const header = (file: string, found: ForeignWeights, colors: Colors): string =>
  [
    `${colors.bold(printedPath(file))}: ${count(found.weights.size, "weight")}, ${grouped(numbersIn(found))} numbers, names as ${found.naming}`,
    ...(found.aside.length > 0
      ? [colors.dim(`${count(found.aside.length, "other tensor")} left aside, such as ${found.aside[0]}`)]
      : []),
  ].join("\n");

const mapText = (
  file: string,
  found: ForeignWeights,
  mappings: readonly Mapping[],
  model: Model,
  colors: Colors,
): string => {
  const source = { stage: printedPath(basename(file)), part: null, file };
  const lines = keyMapLines({ takes: [source], mappings }, colors);
  return `${[header(file, found, colors), `${colors.bold(model.name)} ${lines[0]}`, ...lines.slice(1)].join("\n")}\n`;
};

/** The document's fields are documented in `docs/cli.md`. */
const document = (
  file: string,
  found: ForeignWeights,
  mappings: readonly Mapping[] | null,
  model: Model | null,
  out: string | undefined,
) => ({
  format_version: "1.0",
  file: printedPath(file),
  naming: found.naming,
  weights: [...found.weights].map(([name, { from, shape }]) => ({ name, from, shape })),
  aside: found.aside,
  model: model?.name ?? null,
  counts: mappings && countsOf(mappings),
  mappings: mappings?.map(mappingDocument) ?? null,
  checkpoint: out === undefined ? null : printedPath(out),
});

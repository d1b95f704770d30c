/** `mae export`: a trained model for others: a function of it as an ONNX file, or the whole as a folder that another library loads. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { headOutput, outputNames } from "../../blocks/index.js";
import { plainModel } from "../../compiler/index.js";
import type { ExportedPort, ExportFacts, Library } from "../../runtime/index.js";
import { fileFor, type OpenCheckpoint, tellChosen } from "../runs/open-checkpoint.js";
import type { CheckpointFlags } from "../runs/open-run.js";
import { folderOf, openTrained } from "../runs/open-trained.js";
import { factsFile } from "../runs/run-directory.js";
import { readRunState } from "../runs/run-state.js";
import { checkOutput, printedPath } from "../specs/files.js";
import { runFailure, usageFailure } from "../words/failure.js";
import { modelCard } from "../words/model-card.js";
import { type Colors, count, print, printJson, stdoutColors } from "../words/terminal.js";

export type ExportFormat = "onnx" | "browser" | Library;

export interface ExportOptions extends Pick<CheckpointFlags, "weights" | "recipe"> {
  readonly to: ExportFormat;
  readonly what?: string;
  /** Images at a time; if absent, as many as come. */
  readonly batch?: number;
  readonly pixels?: boolean;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly config?: string;
}

export async function exportModel(source: string, options: ExportOptions): Promise<void> {
  if (options.to === "onnx") return exportFile(source, options);
  const lost = (["what", "batch", "pixels"] as const).find((name) => options[name] !== undefined);
  if (lost)
    throw usageFailure(`--${lost} belongs to --to onnx`, { help: "a folder for a library holds the whole model" });
  return options.to === "browser" ? exportToBrowser(source, options) : exportToLibrary(source, options.to, options);
}

async function opened(source: string, options: ExportOptions): Promise<OpenCheckpoint> {
  const trained = await openTrained(source, options);
  tellChosen(trained, "export", source, options.recipe);
  return trained;
}

/** A package that a web page imports. */
async function exportToBrowser(source: string, options: ExportOptions): Promise<void> {
  const folder = options.out ?? join(folderOf(source), fileFor("browser", options));
  const trained = await opened(source, options);
  const { exportPackage } = await import("./export-browser.js");
  const files = await exportPackage(trained, folder, { force: options.force ?? false });
  const { program, step } = trained;
  if (options.json) {
    const of = { to: "browser", folder: printedPath(folder), files: files.map(printedPath) };
    printJson({ format_version: "1.0", ...of, model: program.name, step });
    return;
  }
  const { bold } = stdoutColors();
  const lines = [`${bold(program.name)} after step ${step}, as a package for web pages`, ...files.map(printedPath)];
  print(`${lines.join("\n")}\n`);
}

/** A folder that another library loads. */
async function exportToLibrary(source: string, library: Library, options: ExportOptions): Promise<void> {
  const folder = options.out ?? join(folderOf(source), fileFor(library, options));
  const { coloursOf, exportFolder, folderFiles } = await import("../../runtime/index.js");
  if (existsSync(folder)) {
    for (const name of folderFiles[library]) checkOutput(join(folder, name), options.force ?? false);
  }
  const trained = await opened(source, options);
  const { model, program, training, spec, step } = trained;
  const facts = plainModel(model);
  if ("why" in facts) {
    throw runFailure(`${model.name} has no counterpart in ${library}: ${facts.part}`, {
      reason: `${facts.why}.`,
      help: "export it as ONNX (--to onnx), which holds any model",
    });
  }
  const [array = ""] = Object.keys(program.arrays);
  const { scores } = existsSync(join(folderOf(source), factsFile)) ? readRunState(folderOf(source)) : { scores: {} };
  const written = await exportFolder(trained, folder, {
    library,
    facts,
    scale: coloursOf(training.augment, program.arrays)(array),
    card: ({ kind, left }) =>
      modelCard({
        library,
        kind,
        left: branches(left),
        spec,
        step,
        scores,
        name: model.name,
        doc: model.doc,
        parameters: parametersOf(trained),
      }),
  });
  const { kind, left, files, weights, bytes } = written;
  if (options.json) {
    printJson({
      format_version: "1.0",
      ...{ to: library, kind, folder: printedPath(folder), files: files.map(printedPath), weights, bytes, left },
      ...{ model: program.name, step },
    });
    return;
  }
  const { bold, dim } = stdoutColors();
  print(
    `${[
      `${bold(program.name)} after step ${step}, as ${kind}: ${count(weights, "weight")}, ${(bytes / 2 ** 20).toFixed(1)} MiB`,
      ...(left.length > 0 ? [dim(`  without ${count(left.length, "weight")}: ${branches(left).join(", ")}`)] : []),
      ...files.map(printedPath),
    ].join("\n")}\n`,
  );
}

/** The first words of names, each once. */
const branches = (names: readonly string[]): readonly string[] => [
  ...new Set(names.map((name) => name.split(".")[0] as string)),
];

const parametersOf = ({ weights }: OpenCheckpoint): number =>
  Object.values(weights).reduce((sum, { length }) => sum + length, 0);

async function exportFile(source: string, options: ExportOptions): Promise<void> {
  const { what = "encode" } = options;
  const path = options.out ?? join(folderOf(source), fileFor(`${what}.onnx`, options));
  checkOutput(path, options.force ?? false);
  const trained = await opened(source, options);
  const { coloursOf, exportedFunctions, exportOnnx } = await import("../../runtime/index.js");
  const { program, training, step, spec } = trained;
  const known = [...exportedFunctions, ...outputNames(program)];
  if (!known.includes(what)) {
    throw usageFailure(`${program.name} has no output called ${JSON.stringify(what)}`, {
      help: `it has ${[...functionsOf(program), ...outputNames(program)].join(", ")}`,
    });
  }
  const facts = await exportOnnx(trained, path, {
    what,
    batch: options.batch ?? null,
    images: options.pixels ? "pixels" : "normalized",
    colours: coloursOf(training.augment, program.arrays),
    step,
    spec,
  });
  if (options.json) printJson(document(trained, what, facts));
  else print(summary(trained, what, facts, stdoutColors()));
}

/** The functions that a model has. */
const functionsOf = (program: OpenCheckpoint["program"]): readonly string[] => [
  "encode",
  ...(outputNames(program).includes("prediction") ? ["reconstruct"] : []),
  ...(headOutput(program) === null ? [] : ["classify"]),
];

/** The document's fields are documented in `docs/cli.md`. */
const document = ({ program, step }: OpenCheckpoint, what: string, facts: ExportFacts) => ({
  format_version: "1.0",
  file: printedPath(facts.file),
  data_file: facts.data === null ? null : printedPath(facts.data),
  bytes: facts.bytes,
  opset: facts.opset,
  model: program.name,
  step,
  function: what,
  inputs: facts.inputs,
  outputs: facts.outputs,
});

function summary({ program, step }: OpenCheckpoint, what: string, facts: ExportFacts, colors: Colors): string {
  const { inputs, outputs, bytes, opset, file, data } = facts;
  const widest = Math.max(...[...inputs, ...outputs].map(({ name }) => name.length));
  const line = (side: string, { name, dtype, shape, doc }: ExportedPort): string =>
    `  ${side.padEnd(3)}  ${name.padEnd(widest)}  ${dtype} [${shape.join(", ")}]\n       ${colors.dim(doc)}`;
  const size = `${(bytes / 2 ** 20).toFixed(1)} MiB, ONNX opset ${opset}`;
  return `${[
    `${colors.bold(program.name)} after step ${step}, ${what}: ${size}`,
    ...inputs.map((port) => line("in", port)),
    ...outputs.map((port) => line("out", port)),
    printedPath(file),
    ...(data === null ? [] : [`${printedPath(data)}, which belongs to it`]),
  ].join("\n")}\n`;
}

/** `mae export`: a function of a trained model as an ONNX file, for any tool. */

import { join } from "node:path";
import { type ArrayShape, augmentsOf, outputNames } from "../../blocks/index.js";
import type { ExportedPort, ExportFacts } from "../../runtime/index.js";
import type { OpenCheckpoint } from "../runs/open-checkpoint.js";
import { folderOf, openTrained } from "../runs/open-trained.js";
import { checkOutput, printedPath } from "../specs/files.js";
import { usageFailure } from "../words/failure.js";
import { type Colors, print, printJson, stdoutColors } from "../words/terminal.js";

export interface ExportOptions {
  readonly what: string;
  /** Images at a time; if absent, as many as come. */
  readonly batch?: number;
  readonly pixels?: boolean;
  readonly out?: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly config?: string;
}

export async function exportModel(source: string, options: ExportOptions): Promise<void> {
  const { what } = options;
  const path = options.out ?? join(folderOf(source), `${what}.onnx`);
  checkOutput(path, options.force ?? false);
  const trained = await openTrained(source, options.config);
  const { colourScale, exportedFunctions, exportOnnx } = await import("../../runtime/index.js");
  const { program, training, step, spec } = trained;
  const known = [...exportedFunctions, ...outputNames(program)];
  if (!known.includes(what)) {
    throw usageFailure(`${program.name} has no output called ${JSON.stringify(what)}`, {
      help: `--what takes ${known.join(", ")}`,
    });
  }
  const { arrays } = program;
  const facts = await exportOnnx(trained, path, {
    what,
    batch: options.batch ?? null,
    images: options.pixels ? "pixels" : "normalized",
    colours: (array) => colourScale(augmentsOf(training.augment, array, arrays), arrays[array] as ArrayShape),
    step,
    spec,
  });
  if (options.json) printJson(document(trained, what, facts));
  else print(summary(trained, what, facts, stdoutColors()));
}

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

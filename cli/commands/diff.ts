/** `mae diff`: two models side by side, and whether a checkpoint of the first is of use in the second. */

import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import {
  type Change,
  diff as diffOf,
  type FromTo,
  flopText,
  type Model,
  type ModelDiff,
} from "../../compiler/index.js";
import type { Checkpoint } from "../../runtime/index.js";
import { vocabularyOf } from "../config/index.js";
import { specOf } from "../runs/open-checkpoint.js";
import { factsFile, noRun } from "../runs/run-directory.js";
import { endWith } from "../session.js";
import { choose, chooseRecipe, openModels } from "../specs/choose.js";
import { printedPath } from "../specs/files.js";
import { exitCode, usageFailure } from "../words/failure.js";
import { type Colors, count, grouped, print, printJson, stdoutColors } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";
import { collected, weightLine } from "../words/weight-lines.js";

export interface DiffOptions {
  readonly json?: boolean;
  readonly exitCode?: boolean;
  readonly config?: string;
}

export async function diff(a: string, b: string, options: DiffOptions): Promise<void> {
  const [first, second] = [await sideOf(a, options), await sideOf(b, options)];
  const found = diffOf(first.model, second.model, first.stored ?? undefined);
  if (options.json) printJson(document(found));
  else print(`${text(found, stdoutColors()).join("\n")}\n`);
  if (options.exitCode && !found.sameNetwork) endWith(exitCode.findings);
}

interface Side {
  readonly model: Model;
  /** Weights of a checkpoint; null: a model as text. */
  readonly stored: ReadonlyMap<string, readonly number[]> | null;
}

/** A model as FILE or FILE:NAME, the folder of a run, or a checkpoint. */
async function sideOf(written: string, { config }: DiffOptions): Promise<Side> {
  if (existsSync(written) && statSync(written).isDirectory()) {
    const { listCheckpoints, newestCheckpoint } = await import("../../runtime/index.js");
    if ((await listCheckpoints(written)).length === 0) {
      if (!existsSync(join(written, factsFile))) throw noRun(written);
      throw usageFailure(`the run in ${printedPath(written)} has no checkpoint`, { help: "train it, or name another" });
    }
    return fromCheckpoint(await newestCheckpoint(written, "weights"), config);
  }
  if (written.endsWith(".safetensors")) {
    if (!existsSync(written)) throw usageFailure(`${printedPath(written)} does not exist`);
    const { readCheckpoint } = await import("../../runtime/index.js");
    return fromCheckpoint(await readCheckpoint(written, "weights"), config);
  }
  // In C:/model.mae the colon is part of the path.
  const colon = existsSync(written) ? -1 : written.search(/:[^:/\\]*$/);
  const [file, name] = colon < 0 ? [written, undefined] : [written.slice(0, colon), written.slice(colon + 1)];
  return { model: choose(await openModels(file, config), name).model, stored: null };
}

async function fromCheckpoint(saved: Checkpoint, config: string | undefined): Promise<Side> {
  const { model } = chooseRecipe(specOf(saved, await vocabularyOf(null, config)), undefined);
  return { model, stored: new Map(Object.entries(saved.shapes)) };
}

/** The document's fields are documented in `docs/cli.md`. */
function document(found: ModelDiff) {
  const { loads, sameNetwork, ...rest } = found;
  return { format_version: "1.0", ...rest, loads, same_network: sameNetwork };
}

function text(found: ModelDiff, colors: Colors): string[] {
  const { changes, parameters, tokens, flops } = found;
  const rows = [
    row("parameters", parameters, grouped),
    row("tokens", tokens.total, grouped),
    row("visible", tokens.visible, grouped),
    row("forward", flops.forward, flopText),
    row("training", flops.training, flopText),
  ].filter((line) => line !== null);
  return [
    `${colors.bold(found.from)} -> ${colors.bold(found.to)}`,
    ...(changes.length === 0 ? ["  the same model"] : changes.map((change) => changeLine(change, colors))),
    ...(rows.length === 0 ? [] : ["", ...rows]),
    "",
    ...verdict(found, colors),
  ];
}

function changeLine(change: Change, colors: Colors): string {
  if (change.kind === "added") return colors.green(`  + ${change.path} ${visibleText(change.to)}`);
  if (change.kind === "removed") return colors.red(`  - ${change.path} ${visibleText(change.from)}`);
  const [from, to] = [change.from, change.to].map(visibleText) as [string, string];
  return `  ${colors.yellow("~")} ${change.path}: ${colors.red(from)} -> ${colors.green(to)}`;
}

/** Null where nothing changes. */
function row(name: string, { from, to }: FromTo, show: (value: number) => string): string | null {
  if (from === to) return null;
  const share = from === 0 ? "" : ` (${to > from ? "+" : ""}${((100 * (to - from)) / from).toFixed(1)} %)`;
  return `  ${name.padEnd(11)} ${show(from)} -> ${show(to)}${share}`;
}

function verdict({ weights, loads, sameNetwork }: ModelDiff, colors: Colors): string[] {
  if (sameNetwork) return [`${colors.green("✓")} a checkpoint loads: ${count(weights.length, "weight")}, all the same`];
  if (loads) {
    return [
      `${colors.red("✗")} a checkpoint loads, ${count(weights.length, "weight")}, but the network computes something else with it`,
    ];
  }
  const same = weights.filter(({ status }) => status === "same").length;
  const head = `${colors.red("✗")} a checkpoint no longer loads: ${same} of ${count(weights.length, "weight")} are the same`;
  const changed = weights.filter(({ status }) => status !== "same");
  return [head, ...collected(changed.map(weightLine)).map((line) => `    ${line}`)];
}

/**
 * `mae check --against REV`: the models of a spec as they were at a revision beside those of now, and whether checkpoints of the
 * former still load. The blocks are those of now: no code of another revision is run.
 */

import { posix } from "node:path";
import { type Analysis, diff, type Model } from "../../compiler/index.js";
import { type Diagnostic, parse, type Severity, type Span } from "../../grammar/index.js";
import { analyzeWith } from "../config/index.js";
import { arrange } from "../report/index.js";
import { count } from "../words/terminal.js";
import { collected, weightLine } from "../words/weight-lines.js";
import { type CheckedSpec, hostFor, type SpecFile } from "./analysis.js";
import { readSpec } from "./files.js";
import type { Revision } from "./git.js";

/** Lines of weights that a finding shows. */
const mostWeights = 12;

/** What has become of the checkpoints of a changed file's models. */
export function againstRevision(
  { file: { path, vocabulary }, analysis: now }: CheckedSpec,
  revision: Revision,
): readonly Diagnostic[] {
  const text = revision.textAt(path);
  if (text === null || !now) return [];
  const host = { ...hostFor(path, new Map()), leadsOutside: () => false, readText: revision.textAt };
  const then = analyzeWith({ path, text }, host, vocabulary);
  const [before, after] = [modelsOf(then), modelsOf(now)];
  const found = [...before].flatMap(([name, model]) => compared(name, model, after.get(name), now, revision));
  return arrange(found);
}

/** Models that the file declares, and members of its families, by name. */
const modelsOf = ({ file, models, families }: Analysis): ReadonlyMap<string, Model> =>
  new Map([
    ...[...models].filter(([, { span }]) => span.source === file.source),
    ...[...families.values()].flatMap(({ members }) => members.map(({ name, model }) => [name, model] as const)),
  ]);

function compared(
  name: string,
  before: Model,
  after: Model | undefined,
  { file }: Analysis,
  revision: Revision,
): readonly Diagnostic[] {
  if (!after) {
    // A model that is broken now is told as such.
    if (file.declarations.some((declaration) => declaration.name?.name === name.split(".")[0])) return [];
    const start = { source: file.source, start: 0, end: 0 };
    const message = `\`${name}\` of ${revision.name} is gone`;
    const help = "a checkpoint of it has its spec with it, and is of use with that alone";
    return [findingOf("warning", "against/model-gone", start, message, help)];
  }
  const found = diff(before, after);
  if (found.sameNetwork) return [];
  if (found.loads) {
    const message = `a checkpoint of \`${name}\` from ${revision.name} loads and computes something else`;
    const changes = found.changes.map(({ path }) => path).join(", ");
    return [findingOf("error", "against/other-network", after.span, message, `what differs: ${changes}`)];
  }
  const changed = found.weights.filter(({ status }) => status !== "same");
  const same = found.weights.length - changed.length;
  const message = `a checkpoint of \`${name}\` from ${revision.name} no longer loads: ${same} of ${count(found.weights.length, "weight")} are the same`;
  const lines = collected(changed.map(weightLine));
  const more = lines.length > mostWeights ? [`and ${lines.length - mostWeights} more: mae diff`] : [];
  const help = ["give the new model another name, or train anew", ...lines.slice(0, mostWeights), ...more].join("\n");
  return [findingOf("error", "against/checkpoint-lost", after.span, message, help)];
}

const reasons = {
  "against/checkpoint-lost": "What was trained for days would have to be trained again.",
  "against/other-network": "It loads without a word, and its features are not those that it was trained for.",
  "against/model-gone": "Whoever has a checkpoint of it looks for it here.",
} as const;

const findingOf = (
  severity: Severity,
  code: keyof typeof reasons,
  span: Span,
  message: string,
  help: string,
): Diagnostic => ({ code, severity, span, message, reason: reasons[code], help });

/** The specs that are others now than at a revision, those that import one, over whatever is between, and text from stdin. */
export function changedSpecs(files: readonly SpecFile[], revision: Revision): SpecFile[] {
  const known = new Map<string, boolean>();
  const isChanged = (path: string, open: readonly string[]): boolean => {
    const before = known.get(path);
    if (before !== undefined || open.includes(path)) return before ?? false;
    const reading = revision.changed(path) ? null : readSpec(path);
    const imports = reading?.ok ? importsOf(path, reading.text) : [];
    const answer = reading === null || imports.some((one) => isChanged(one, [...open, path]));
    known.set(path, answer);
    return answer;
  };
  return files.filter(({ path, given }) => given !== null || isChanged(path, []));
}

const importsOf = (path: string, text: string): readonly string[] =>
  parse({ path, text }).file.imports.flatMap(({ from }) => (from ? [posix.join(posix.dirname(path), from.value)] : []));

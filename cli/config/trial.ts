/**
 * Checking a spec that uses a project's own blocks: what they throw and what they give is laid at the door of their file,
 * not of maelang.
 */

import { type Analysis, analyze, foreignUses, type Host, type Model, tryOut } from "../../compiler/index.js";
import { type Diagnostic, parse, type Source, type Span } from "../../grammar/index.js";
import { messageOf, placeIn } from "./blame.js";
import { configError } from "./codes.js";
import type { Vocabulary } from "./vocabulary.js";

/** The analysis of a text; each model that stands on blocks of the project is put together once. */
export function analyzeWith(source: Source, host: Host, vocabulary: Vocabulary): Analysis {
  if (vocabulary.homes.size === 0) return analyze(source, host, vocabulary.registry);
  try {
    const analysis = analyze(source, host, vocabulary.registry);
    const tried = ownModels(analysis).flatMap((model) => trialOf(model, vocabulary));
    return { ...analysis, diagnostics: [...analysis.diagnostics, ...tried] };
  } catch (error) {
    const finding = thrown(error, vocabulary, null);
    if (!finding) throw error;
    return { ...nothing(source), diagnostics: [finding] };
  }
}

const nothing = (source: Source): Omit<Analysis, "diagnostics"> => ({
  file: parse(source).file,
  models: new Map(),
  recipes: new Map(),
  families: new Map(),
  pipelines: new Map(),
});

/** Models and members of families that the text itself declares. */
const ownModels = ({ file, models, families }: Analysis): readonly Model[] => [
  ...[...models.values()].filter(({ span }) => span.source === file.source),
  ...[...families.values()].flatMap(({ members }) => members.map(({ model }) => model)),
];

function trialOf(model: Model, vocabulary: Vocabulary): readonly Diagnostic[] {
  const [first] = foreignUses(model, vocabulary.homes);
  if (!first) return [];
  const at = first.origin.span;
  try {
    return tryOut(model, vocabulary.homes).map(({ use, name, message }) => {
      const used = use?.origin.span ?? at;
      if (name === null) return configError("block/wrong-result", used, message, { help: "mend the block" });
      const help = "export it from the file that makes it, under any name";
      return configError("block/not-exported", placeOf(name, vocabulary) ?? used, message, { help });
    });
  } catch (error) {
    const finding = thrown(error, vocabulary, at);
    if (finding) return [finding];
    const message = `the model cannot be put together with \`${first.definition.name}\`: ${messageOf(error)}`;
    return [
      configError("block/wrong-result", at, message, {
        help: "the shapes that its kind gives are in docs/add-a-block.md",
      }),
    ];
  }
}

/** An error that a block threw, where it was thrown; null: it came through no block of the project. */
function thrown(error: unknown, { project }: Vocabulary, used: Span | null): Diagnostic | null {
  const place = placeIn(error, project?.files.map(({ source }) => source) ?? []);
  if (!place) return null;
  return configError("block/throws", place, `the block fails: ${messageOf(error)}`, {
    help: "mend the block, or forbid in `requires` the values it cannot work with",
    ...(used ? { related: [{ span: used, message: "used here" }] } : {}),
  });
}

/** Where a name is given to a layer or a declaration of weights. */
function placeOf(name: string, { project }: Vocabulary): Span | null {
  for (const { source } of project?.files ?? []) {
    const start = [`"${name}"`, `'${name}'`].map((text) => source.text.indexOf(text)).find((at) => at >= 0);
    if (start !== undefined) return { source, start, end: start + name.length + 2 };
  }
  return null;
}

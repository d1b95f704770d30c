/** Pages that no file has: lists of blocks, parameters and findings, written from the definitions themselves, in Markdown. */

import { type Definition, lints, type Registry, registry } from "../blocks/index.js";
import { codes, modelSlots, parameterTable, recipeSlots } from "../compiler/index.js";
import { runErrors } from "../runtime/index.js";

/** Text of a cell of a table. */
const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((row) => `| ${row.map(cell).join(" | ")} |`).join("\n");

interface Shelf {
  readonly kind: keyof Registry;
  /** `encoder`, and what the slot says. */
  readonly title: string;
  readonly says: string;
  readonly blocks: readonly Definition[];
}

/** Kinds of blocks in the order of the slots that they fill; then those that stand inside other blocks. */
function shelves(): readonly Shelf[] {
  const rules = [...modelSlots, ...recipeSlots];
  const kinds = Object.keys(registry) as (keyof Registry)[];
  const placeOf = (kind: string): number => {
    const at = rules.findIndex((rule) => rule.kind === kind);
    return at < 0 ? rules.length : at;
  };
  return kinds
    .filter((kind) => registry[kind].length > 0)
    .sort((a, b) => placeOf(a) - placeOf(b))
    .map((kind) => {
      const rule = rules.find((one) => one.kind === kind);
      const says = rule ? `The slot \`${rule.slot}\` says ${rule.doc}.` : "Stands inside other blocks.";
      return { kind, title: rule?.slot ?? kind, says, blocks: registry[kind] as readonly Definition[] };
    });
}

function blocksPage(): string {
  const sections = shelves().map(({ kind, title, says, blocks }) => {
    const rows = blocks.map(({ name, summary, params }) => [
      `[\`${name}\`](${kind}/${name}.md)`,
      summary,
      Object.keys(params)
        .map((param) => `\`${param}\``)
        .join(", "),
    ]);
    return `## ${title}\n\n${says}\n\n${table(["block", "what it is", "parameters"], rows)}`;
  });
  const count = shelves().reduce((sum, { blocks }) => sum + blocks.length, 0);
  return `# Blocks\n\nA line of a spec fills a slot with a block. There are ${count}; [all their parameters](parameters.md) stand on one page.\n\n${sections.join("\n\n")}\n`;
}

function parametersPage(): string {
  const sections = shelves().flatMap(({ kind, blocks }) =>
    blocks
      .filter(({ params }) => Object.keys(params).length > 0)
      .map(
        (definition) =>
          `## ${kind}/${definition.name}\n\n${definition.summary} [More](${kind}/${definition.name}.md).\n\n${parameterTable(definition)}`,
      ),
  );
  return `# Parameters\n\nWhat every block takes, with its default.\n\n${sections.join("\n\n")}\n`;
}

/** @param pages names of the pages of findings, such as `check/unknown-block` */
function findingsPage(pages: readonly string[], titleOf: (page: string) => string): string {
  const linked = (code: string): string => (pages.includes(code) ? `[\`${code}\`](${code}.md)` : `\`${code}\``);
  const advice = lints.map(({ code, category, severity, title }) => [linked(code), category, severity, title]);
  const others = pages.filter((page) => !lints.some(({ code }) => code === page));
  const conditions = shelves().flatMap(({ kind, blocks }) =>
    blocks.flatMap(({ name, requires = [] }) =>
      requires.map((one) => [`[\`${kind}/${name}/${one.name}\`](../blocks/${kind}/${name}.md)`, one.doc]),
    ),
  );
  const reasons: Readonly<Record<string, string>> = codes;
  return [
    "# Findings",
    "What `mae check` can say, by the code that stands beside it. `mae explain CODE` prints the same pages.",
    "## Advice",
    table(["code", "about", "severity", "what"], advice),
    "## Mistakes",
    table(
      ["code", "what", "why"],
      others.map((code) => [linked(code), titleOf(code), reasons[code] ?? ""]),
    ),
    "## Conditions of blocks",
    table(["code", "condition"], conditions),
    "## Errors of runs",
    table(
      ["code", "what"],
      Object.entries(runErrors).map(([code, meaning]) => [`\`${code}\``, meaning]),
    ),
    "",
  ].join("\n\n");
}

/** The pages, by the path that their Markdown would have. */
export const generatedPages = (
  findings: readonly string[],
  titleOf: (page: string) => string,
): ReadonlyMap<string, string> =>
  new Map([
    ["spec/blocks/README.md", blocksPage()],
    ["spec/blocks/parameters.md", parametersPage()],
    ["spec/diagnostics/README.md", findingsPage(findings, titleOf)],
  ]);

/** `mae explain`: the page of a diagnostic, of a run error or of a block, on the terminal. */

import { configFile, type OwnBlock, ownPage, vocabularyOf } from "../config/index.js";
import { usageFailure } from "../words/failure.js";
import { readable } from "../words/markdown.js";
import { didYouMean } from "../words/nearest.js";
import { listPages, pageOf, readPage } from "../words/pages.js";
import { print, stdoutColors, stdoutColumns } from "../words/terminal.js";
import { wrapped } from "../words/text-width.js";

export interface ExplainOptions {
  readonly config?: string;
}

/** Longer lines are hard to read, however wide the terminal is. */
const widestLine = 100;

export async function explain(asked: string | undefined, { config }: ExplainOptions): Promise<void> {
  const { runErrors } = await import("../../runtime/index.js");
  const errors = new Map<string, string>(Object.entries(runErrors));
  if (asked === undefined) {
    print(contents(errors, await ownBlocks(config)));
    return;
  }
  const code = inFull(asked);
  const meaning = errors.get(code);
  const ours = pageOf(code)?.text ?? (meaning === undefined ? null : `# ${code}\n\n${meaning}`);
  const own = ours === null ? await ownBlocks(config) : [];
  const block = own.find((one) => code === nameOf(one) || code.startsWith(`${nameOf(one)}/`));
  const text = ours ?? (block ? ownPage(block) : null);
  if (text === null) {
    const known = [...listPages("diagnostics"), ...errors.keys(), ...listPages("blocks"), ...own.map(nameOf)];
    const sameName = known.filter((name) => name.endsWith(`/${asked}`));
    const near = didYouMean(code, sameName.length > 0 ? sameName : known);
    throw usageFailure(`nothing is known under "${code}"`, { help: near ?? "mae explain lists every code" });
  }
  const width = Math.min(stdoutColumns(), widestLine);
  print(`${readable(text, { colors: stdoutColors(), width })}\n`);
}

/** `spiral` is `mask/spiral`, where no other kind has a block of this name. */
function inFull(asked: string): string {
  const [only, other] = asked.includes("/") ? [] : listPages("blocks").filter((page) => page.endsWith(`/${asked}`));
  return only !== undefined && other === undefined ? only : asked;
}

/** Blocks of the project of the working folder. */
const ownBlocks = async (config: string | undefined): Promise<readonly OwnBlock[]> =>
  (await vocabularyOf(null, config)).project?.blocks ?? [];

const nameOf = ({ kind, definition }: OwnBlock): string => `${kind}/${definition.name}`;

/** Every code with its title. */
function contents(errors: ReadonlyMap<string, string>, own: readonly OwnBlock[]): string {
  const colors = stdoutColors();
  const titles = new Map(errors);
  for (const name of listPages("diagnostics")) titles.set(name, readPage("diagnostics", name)?.title ?? "");
  const widest = Math.max(...[...titles.keys()].map((name) => name.length));
  const width = stdoutColumns();
  const lines = [...titles].sort().flatMap(([name, title]) => {
    const [first, ...rest] = wrapped(title, width - widest - 2);
    return [`${colors.bold(name.padEnd(widest))}  ${first}`, ...rest.map((line) => " ".repeat(widest + 2) + line)];
  });
  const blocks = wrapped(`Blocks: ${listPages("blocks").join(", ")}`, width).join("\n");
  const ownLine = own.length === 0 ? "" : `\n\nOf ${configFile}: ${own.map(nameOf).join(", ")}`;
  return `${lines.join("\n")}\n\n${blocks}${ownLine}\n\n${colors.bold("mae explain <code>")} prints a page.\n`;
}

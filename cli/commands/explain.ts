/** `mae explain`: the page of a diagnostic, of a run error or of a block, on the terminal. */

import { configFile, type OwnBlock, ownPage, vocabularyOf } from "../config/index.js";
import { usageFailure } from "../failure.js";
import { didYouMean } from "../nearest.js";
import { listPages, pageOf, readPage } from "../pages.js";
import { type Colors, print, stdoutColors } from "../terminal.js";

export interface ExplainOptions {
  readonly config?: string;
}

export async function explain(code: string | undefined, { config }: ExplainOptions): Promise<void> {
  const { runErrors } = await import("../../runtime/index.js");
  const errors = new Map<string, string>(Object.entries(runErrors));
  if (code === undefined) {
    print(contents(errors, await ownBlocks(config)));
    return;
  }
  const meaning = errors.get(code);
  const ours = pageOf(code)?.text ?? (meaning === undefined ? null : `# ${code}\n\n${meaning}`);
  const own = ours === null ? await ownBlocks(config) : [];
  const block = own.find((one) => code === nameOf(one) || code.startsWith(`${nameOf(one)}/`));
  const text = ours ?? (block ? ownPage(block) : null);
  if (text === null) {
    const known = [...listPages("diagnostics"), ...errors.keys(), ...listPages("blocks"), ...own.map(nameOf)];
    const near = didYouMean(code, known);
    throw usageFailure(`nothing is known under "${code}"`, { help: near ?? "mae explain lists every code" });
  }
  print(`${paint(text.trimEnd(), stdoutColors())}\n`);
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
  const lines = [...titles].sort().map(([name, title]) => `${colors.bold(name.padEnd(widest))}  ${title}`);
  const blocks = listPages("blocks").join(", ");
  const ownLine = own.length === 0 ? "" : `\n\nOf ${configFile}: ${own.map(nameOf).join(", ")}`;
  return `${lines.join("\n")}\n\nBlocks: ${blocks}${ownLine}\n\n${colors.bold("mae explain <code>")} prints a page.\n`;
}

/** Markdown stays Markdown; on a terminal its headings and code stand out. */
function paint(text: string, colors: Colors): string {
  let fenced = false;
  return text
    .split("\n")
    .map((line) => {
      if (line.startsWith("```")) {
        fenced = !fenced;
        return colors.dim(line);
      }
      if (fenced) return colors.cyan(line);
      if (line.startsWith("#")) return colors.bold(line);
      return line.replace(/`[^`]+`/g, (code) => colors.cyan(code));
    })
    .join("\n");
}

/** `mae explain`: the page of a diagnostic, of a run error or of a block, on the terminal. */

import { usageFailure } from "../failure.js";
import { didYouMean } from "../nearest.js";
import { listPages, type Page, readPage } from "../pages.js";
import { type Colors, print, stdoutColors } from "../terminal.js";

export function explain(code: string | undefined): void {
  if (code === undefined) {
    print(contents());
    return;
  }
  const page = readPage("diagnostics", code) ?? readPage("blocks", code);
  if (!page) {
    const known = [...listPages("diagnostics"), ...listPages("blocks")];
    const near = didYouMean(code, known);
    throw usageFailure(`nothing is known under "${code}"`, { help: near ?? "mae explain lists every code" });
  }
  print(paint(page.text.trimEnd(), stdoutColors()));
  print("\n");
}

/** Every code with its title. */
function contents(): string {
  const colors = stdoutColors();
  const pages = listPages("diagnostics").map((name) => readPage("diagnostics", name));
  const listed = pages.filter((page): page is Page => page !== null);
  const widest = Math.max(...listed.map((page) => page.name.length), 0);
  const lines = listed.map((page) => `${colors.bold(page.name.padEnd(widest))}  ${page.title}`);
  const blocks = listPages("blocks");
  return [
    ...lines,
    ...(blocks.length > 0 ? ["", `Blocks: ${blocks.join(", ")}`] : []),
    "",
    `${colors.bold("mae explain <code>")} prints a page.`,
    "",
  ].join("\n");
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

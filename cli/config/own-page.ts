/** The page of a project's block, made from its definition: what `mae explain` prints. */

import type { Definition } from "../../blocks/index.js";
import { parameterTable } from "../../compiler/index.js";
import { printedPath } from "../files.js";
import type { OwnBlock } from "./vocabulary.js";

/** Markdown, in the order of the pages of our own blocks. */
export function ownPage({ kind, definition, file }: OwnBlock): string {
  const { name, summary, source, requires = [] } = definition as Definition;
  const conditions = requires.map((condition) => `- \`${kind}/${name}/${condition.name}\`: ${condition.doc}`);
  return [
    `# ${kind}/${name}`,
    summary,
    `Defined in \`${printedPath(file)}\`.`,
    "## Parameters",
    parameterTable(definition),
    ...(conditions.length === 0 ? [] : ["## Conditions", conditions.join("\n")]),
    `Source: ${source}.`,
  ].join("\n\n");
}

/** The page of a project's block, made from its definition: what `mae explain` prints. */

import { blockPage } from "../../compiler/index.js";
import { printedPath } from "../specs/files.js";
import type { OwnBlock } from "./vocabulary.js";

/** Markdown, in the order of the pages of our own blocks. */
export const ownPage = ({ kind, definition, file }: OwnBlock): string => blockPage(kind, definition, printedPath(file));

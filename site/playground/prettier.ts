/** Prettier in a browser, which has no plugins of its own there: stands for the package in the playground's bundle. */

import type { Options } from "prettier";
import * as estree from "prettier/plugins/estree";
import * as typescript from "prettier/plugins/typescript";
import { format as formatText } from "prettier/standalone";

export const format = (text: string, options: Options): Promise<string> =>
  formatText(text, { ...options, plugins: [estree.default ?? estree, typescript.default ?? typescript] });

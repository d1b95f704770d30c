/** Which language server is started: the project's own, which is of the version that checks it in CI, else the one that comes along. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface Server {
  /** The JavaScript file that is run. */
  readonly module: string;
  readonly args: readonly string[];
}

export interface Choice {
  /** The folder that is open; null: single files are. */
  readonly folder: string | null;
  /** Whether its code may run. */
  readonly trusted: boolean;
  /** Whether its block files are run. */
  readonly blocks: boolean;
  /** The folder of the package that comes along. */
  readonly bundled: string;
}

/** What comes along runs no block file: those import the package that is installed in the project. */
export function serverFor({ folder, trusted, blocks, bundled }: Choice): Server {
  const own = folder !== null && trusted ? installed(folder) : null;
  const args = own !== null && blocks ? ["lsp"] : ["lsp", "--no-config"];
  return { module: own ?? join(bundled, "dist", "cli.js"), args };
}

/** The command of the nearest installation, in the folder or above it. */
function installed(folder: string): string | null {
  for (let at = folder; ; at = dirname(at)) {
    const home = join(at, "node_modules", "maelang");
    if (existsSync(join(home, "package.json"))) {
      const { bin } = JSON.parse(readFileSync(join(home, "package.json"), "utf8")) as { bin?: { mae?: string } };
      const command = bin?.mae && join(home, bin.mae);
      if (command && existsSync(command)) return command;
    }
    if (dirname(at) === at) return null;
  }
}

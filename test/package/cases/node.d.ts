/** The little of Node that the program on `docs/api.md` calls, where Node's types are not installed. */

declare module "node:fs/promises" {
  export function readFile(path: string, encoding: "utf8"): Promise<string>;
}

declare const process: { cwd(): string };

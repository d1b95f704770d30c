/** Colours as VS Code makes them: a TextMate grammar run by the engine that the editor uses. */

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

/** As far as it is used here. */
interface Engine {
  readonly INITIAL: object;
  readonly Registry: new (
    options: object,
  ) => {
    loadGrammar(scope: string): Promise<{
      tokenizeLine(
        line: string,
        state: object,
      ): {
        readonly tokens: readonly {
          readonly startIndex: number;
          readonly endIndex: number;
          readonly scopes: string[];
        }[];
        readonly ruleStack: object;
      };
    }>;
  };
}

const require = createRequire(import.meta.url);

/** Gives the innermost scope of every character of a text. */
export async function colours(path: string): Promise<(text: string) => readonly string[]> {
  const { Registry, INITIAL } = require("vscode-textmate") as Engine;
  const oniguruma = require("vscode-oniguruma");
  await oniguruma.loadWASM(readFileSync(require.resolve("vscode-oniguruma/release/onig.wasm")));
  const onigLib = Promise.resolve({
    createOnigScanner: oniguruma.createOnigScanner,
    createOnigString: oniguruma.createOnigString,
  });
  const rules = JSON.parse(readFileSync(path, "utf8")) as { readonly scopeName: string };
  const registry = new Registry({ onigLib, loadGrammar: async () => rules });
  const grammar = await registry.loadGrammar(rules.scopeName);
  return (text) => {
    const scopes: string[] = [];
    let state = INITIAL;
    for (const line of text.split("\n")) {
      const { tokens, ruleStack } = grammar.tokenizeLine(line, state);
      state = ruleStack;
      for (let i = 0; i <= line.length; i++) {
        scopes.push(tokens.find(({ startIndex, endIndex }) => startIndex <= i && i < endIndex)?.scopes.at(-1) ?? "");
      }
    }
    return scopes;
  };
}

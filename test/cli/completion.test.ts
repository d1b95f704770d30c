/** `mae completion` in the shells themselves, where they are: each takes the script and completes by it. */

import { execFileSync, spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { folder, mae } from "./mae.js";

const isThere = (shell: string): boolean => spawnSync(shell, ["-c", "exit 0"]).status === 0;
const cwd = folder({});
const scriptOf = async (shell: string): Promise<string> => (await mae(["completion", shell], { cwd })).stdout;

describe.skipIf(!isThere("bash"))("bash", () => {
  let script = "";
  beforeAll(async () => {
    script = await scriptOf("bash");
  });

  it.each([
    ["mae ch", ["check"]],
    ["mae check --reporter gi", ["github", "gitlab"]],
    ["mae check --ag", ["--against"]],
    ["mae --trace check --err", ["--error-on-warnings"]],
    ["mae explain lint/heavy-d", ["lint/heavy-decoder"]],
    ["mae completion z", ["zsh"]],
    ["mae check mod", []],
  ])("%s", (line, wanted) => {
    const words = line.split(" ");
    const ask = `${script}\nCOMP_WORDS=(${words.join(" ")}); COMP_CWORD=${words.length - 1}; _mae; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const answer = execFileSync("bash", ["--norc", "-c", ask]).toString().split("\n").filter(Boolean);
    expect(answer.toSorted()).toEqual(wanted);
  });
});

it.skipIf(!isThere("fish"))("fish completes commands and values", async () => {
  const script = await scriptOf("fish");
  const ask = (line: string) =>
    execFileSync("fish", ["--no-config", "-c", `${script}\ncomplete -C '${line}'`])
      .toString()
      .split("\n")
      .map((one) => one.split("\t")[0]);
  expect(ask("mae ch")).toContain("check");
  expect(ask("mae check --reporter gi")).toEqual(expect.arrayContaining(["github", "gitlab"]));
});

it.skipIf(!isThere("zsh"))("zsh takes the script", async () => {
  const script = await scriptOf("zsh");
  execFileSync("zsh", ["-f", "-c", `autoload -Uz compinit; compinit -u -D\n${script}\n(( $+functions[_mae] ))`]);
});

it("has no script for another shell", async () => {
  const { code, stderr } = await mae(["completion", "tcsh"], { cwd });
  expect([code, stderr]).toEqual([2, expect.stringContaining("bash, zsh, fish")]);
});

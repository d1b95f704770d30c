/** `npm run bench -- --commands`: what the commands cost that people and editors wait for, beside starting Node alone. */

import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { median } from "./contest.js";

const command = resolve("dist/cli.js");

const examples = readdirSync("examples").filter((name) => name.endsWith(".mae"));
/** All examples, as often as makes 200 files. */
const copies = Math.ceil(200 / examples.length);

const contestants: readonly (readonly [name: string, args: readonly string[]])[] = [
  ["node, nothing to do", ["--eval", "0"]],
  ["mae --version", [command, "--version"]],
  ["mae check examples/digits.mae", [command, "check", "examples/digits.mae"]],
  [`mae check of ${copies * examples.length} files`, [command, "check", "."]],
  [
    "mae plan examples/mae-base.mae --samples 1281167",
    [command, "plan", "examples/mae-base.mae", "--samples", "1281167"],
  ],
];

/** Writes the process's own processor time, in milliseconds, when it ends. */
const meter = `
import { writeFileSync } from "node:fs";
process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  writeFileSync(process.env.COST, String((user + system) / 1000));
});
`;

interface Cost {
  readonly elapsed: number;
  readonly processor: number;
}

function costOf(args: readonly string[], folder: string): Cost {
  const [script, cost] = [join(folder, "meter.mjs"), join(folder, "cost.txt")];
  const began = performance.now();
  execFileSync(process.execPath, ["--import", pathToFileURL(script).href, ...args], {
    env: { ...process.env, COST: cost },
    stdio: "ignore",
    ...(args.includes(".") ? { cwd: folder } : {}),
  });
  return { elapsed: performance.now() - began, processor: Number(readFileSync(cost, "utf8")) };
}

function copyExamples(folder: string): void {
  for (let i = 0; i < copies; i++) {
    for (const name of examples) cpSync(join("examples", name), join(folder, `copy-${i}`, name));
  }
}

/** Milliseconds of each command as a Markdown table: they take turns, so that a busy moment hits all alike. */
export function commandTable(rounds: number): string {
  const folder = mkdtempSync(join(tmpdir(), "maelang-bench-"));
  try {
    writeFileSync(join(folder, "meter.mjs"), meter);
    copyExamples(folder);
    const costs = contestants.map((): Cost[] => []);
    for (let round = 0; round < rounds; round++) {
      for (const [i, [, args]] of contestants.entries()) costs[i]?.push(costOf(args, folder));
    }
    const rows = contestants.map(([name], i) => {
      const of = (what: keyof Cost): string => {
        const all = (costs[i] as Cost[]).map((cost) => cost[what]);
        return `${median(all).toFixed(0)} (${Math.min(...all).toFixed(0)}–${Math.max(...all).toFixed(0)})`;
      };
      return `| ${name} | ${of("elapsed")} | ${of("processor")} |\n`;
    });
    return `| command | elapsed, ms: median (range) | processor time, ms |\n| --- | --- | --- |\n${rows.join("")}`;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

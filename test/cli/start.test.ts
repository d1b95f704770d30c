/** Light commands stay light: what they load, and what that costs. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { command, folder, sound } from "./mae.js";

/** Addresses of all scripts that a call of the command loads, as V8 lists them. */
function scriptsOf(args: readonly string[], cwd: string): string[] {
  const coverage = folder();
  execFileSync(process.execPath, [command, ...args], {
    cwd,
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
    stdio: "ignore",
  });
  return readdirSync(coverage).flatMap((name) => {
    const { result } = JSON.parse(readFileSync(join(coverage, name), "utf8")) as { result: { url: string }[] };
    return result.map((script) => script.url).filter((url) => url.startsWith("file:"));
  });
}

const meterSource = `
import { writeFileSync } from "node:fs";
process.on("exit", () => {
  const { user, system } = process.cpuUsage();
  writeFileSync("cost.txt", String((user + system) / 1000));
});
`;

/** Processor time in milliseconds, the least of several calls: waiting for other processes does not count. */
function cost(args: readonly string[], cwd: string): number {
  const meter = pathToFileURL(join(folder({ "meter.mjs": meterSource }), "meter.mjs")).href;
  const times = Array.from({ length: 5 }, () => {
    execFileSync(process.execPath, ["--import", meter, command, ...args], { cwd, stdio: "ignore" });
    return Number(readFileSync(join(cwd, "cost.txt"), "utf8"));
  });
  return Math.min(...times);
}

describe("mae check", () => {
  const cwd = folder({ "a.mae": sound });

  it("loads nothing that only training, emission or pictures need", () => {
    const scripts = scriptsOf(["check", "a.mae"], cwd);
    expect(scripts.length).toBeGreaterThan(2);
    const heavy = /node_modules\/(@tensorflow|onnxruntime-node|ts-morph|typescript|prettier|sharp|@img|webgpu)\//;
    expect(scripts.filter((url) => heavy.test(url))).toEqual([]);
    expect(scripts.map((url) => url.split("/").at(-1)).filter((name) => /runtime|emit|train/.test(name ?? ""))).toEqual(
      [],
    );
  });

  it("answers within its budget of 400 ms of processor time", () => {
    expect(cost(["check", "a.mae"], cwd)).toBeLessThan(400);
  });
});

describe("mae --version", () => {
  it("costs little more than starting Node", () => {
    const cwd = folder();
    expect(cost(["--version"], cwd)).toBeLessThan(150);
  });
});

/** What holds for every command: help, versions, wrong command lines, colours, pipes that close. */

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { systemFailure } from "../../cli/words/system-errors.js";
import { command, folder, mae, maeAlone, misspelt, sound, start } from "./mae.js";

const commands = [
  "check",
  "fmt",
  "plan",
  "render",
  "build",
  "variants",
  "diff",
  "tokenizer",
  "columns",
  "train",
  "eval",
  "show",
  "watch",
  "report",
  "export",
  "init",
  "doctor",
  "explain",
];

describe("help", () => {
  it("lists every command and the exit codes", async () => {
    const { code, stdout, stderr } = await mae(["--help"]);
    expect(code).toBe(0);
    expect(stderr).toBe("");
    for (const name of commands) expect(stdout).toMatch(new RegExp(`^  ${name} `, "m"));
    expect(stdout).toContain("Exit codes:");
  });

  it.each(commands)("of %s has a sentence, examples and exit codes", async (name) => {
    const { code, stdout } = await mae([name, "--help"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^[A-Z].+[.:]/m);
    expect(stdout).toContain(`Examples:\n  `);
    expect(stdout).toContain(`mae ${name}`);
    expect(stdout).toContain("Exit codes:");
  });

  it("also has a command of its own", async () => {
    const { code, stdout } = await mae(["help", "show"]);
    expect(code).toBe(0);
    expect(stdout).toBe((await mae(["show", "--help"])).stdout);
  });

  it("is what a call without a command gets, as a usage error", async () => {
    const { code, stdout, stderr } = await mae([]);
    expect(code).toBe(2);
    expect(stdout).toBe("");
    expect(stderr).toContain("Usage: mae <command>");
  });

  it("prints the package's version", async () => {
    const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
    expect(await mae(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
  });
});

describe("a wrong command line", () => {
  const cwd = folder({ "a.mae": sound, "b.mae": sound, "sub/c.mae": sound });
  const wrong: readonly (readonly [what: string, args: readonly string[], says: RegExp])[] = [
    ["an unknown command", ["chek"], /unknown command 'chek'[\s\S]*did you mean check\?/],
    ["an unknown option", ["check", "--reportr", "json"], /unknown option '--reportr'[\s\S]*did you mean --reporter/],
    [
      "an unknown reporter",
      ["check", "--reporter", "xml"],
      /one of pretty, compact, markdown, json, sarif, github, gitlab, junit/,
    ],
    ["a number that is none", ["check", "--max-diagnostics", "many"], /whole number, at least 0/],
    ["a negative number", ["train", "a.mae", "--steps", "-3"], /--steps/],
    ["more threads than any machine has", ["train", "a.mae", "--threads", "100000"], /whole number, at most 1024/],
    ["a batch beyond all counts", ["plan", "a.mae", "--batch", "9007199254740991"], /whole number, at most 2147483647/],
    ["a fraction", ["plan", "a.mae", "--batch", "1.5"], /whole number, at least 1/],
    ["a missing argument", ["plan"], /missing required argument 'file'/],
    ["too many arguments", ["explain", "a/b", "c/d"], /too many arguments/],
    ["options that exclude each other", ["fmt", "--check", "--write", "a.mae"], /cannot be used with/],
    ["a file that is not there", ["check", "nowhere.mae"], /there is no file "nowhere.mae"/],
    ["a glob that matches nothing", ["check", "x/**/*.mae"], /no file matches/],
    ["a reporter file without a reporter", ["check", "--reporter-file", "x.sarif"], /name its reporter before it/],
    ["two documents on stdout", ["check", "--reporter", "json", "--reporter", "sarif"], /cannot share stdout/],
    ["a folder where one file is meant", ["plan", "sub"], /is a folder/],
    ["stdin together with files", ["check", "-", "a.mae"], /together with other paths/],
    ["a fix of stdin", ["check", "--fix", "-"], /no file to change/],
    ["several files to print", ["fmt", "a.mae", "b.mae"], /--write|--check/],
    ["a folder to print", ["fmt", "sub"], /is a folder.*\n.*mae fmt --write/],
    ["an unknown code to explain", ["explain", "chekc/unknown-blok"], /nothing is known under/],
    ["a page outside the pages", ["explain", "../../package"], /nothing is known under/],
    ["a run that is not there", ["eval", "runs/none"], /runs\/none/],
  ];

  it.each(wrong)("%s", async (_what, args, says) => {
    const { code, stdout, stderr } = await mae(args, { cwd });
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^error/);
    expect(stderr).not.toMatch(/\n\s+at |bug in mae/);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("colours", () => {
  const cwd = folder({ "a.mae": misspelt });
  const escapeSign = "\u001b[";

  it.each([
    ["none where stdout is a pipe", [], {}, false],
    ["some with --color", ["--color"], {}, true],
    ["some with FORCE_COLOR", [], { FORCE_COLOR: "1" }, true],
    ["none with NO_COLOR, even with FORCE_COLOR", [], { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
    ["the flag wins over the variable", ["--no-color"], { FORCE_COLOR: "1" }, false],
  ] as const)("%s", async (_what, flags, env, expected) => {
    const { stdout } = await mae(["check", "a.mae", ...flags], { cwd, env });
    expect(stdout.includes(escapeSign)).toBe(expected);
  });
});

describe("a process", () => {
  it("takes its stdin, ends with the exit code of its call, and writes what the call writes", async () => {
    const calls = [
      { args: ["check", "-"], input: sound, code: 0 },
      { args: ["check", "-"], input: misspelt, code: 1 },
      { args: ["chek"], input: "", code: 2 },
    ];
    for (const { args, input, code } of calls) {
      const alone = await maeAlone(args, { input });
      expect(alone.code).toBe(code);
      const words = ({ stdout, stderr }: typeof alone) => `${stdout}${stderr}`.replace(/in \d+ ms/, "");
      expect(words(alone)).toBe(words(await mae(args, { input })));
    }
  });
});

describe("a reader that goes away", () => {
  it("ends the command quietly and keeps its exit code", async () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`${i}.mae`, misspelt]));
    const child = start(["check", "--max-diagnostics", "10000"], { cwd: folder(many) });
    let stderr = "";
    child.stderr?.on("data", (chunk) => {
      stderr += chunk;
    });
    child.stdout?.destroy();
    const code = await new Promise((resolve) => child.on("close", resolve));
    expect(stderr).toBe("");
    expect(code).toBe(1);
  });
});

/** A command under a limit or in a place that only a shell can set. */
describe.skipIf(process.platform === "win32")("what the system refuses is said in words", () => {
  const script = `node="$1" mae="$2"`;
  const shell = (line: string) =>
    new Promise<{ code: number | null; stderr: string }>((resolve) => {
      const args = ["-c", `${script}; ${line}`, "sh", process.execPath, command];
      const child = spawn("sh", args, { cwd: folder({ "a.mae": sound }), stdio: ["ignore", "ignore", "pipe"] });
      let stderr = "";
      child.stderr.on("data", (chunk) => {
        stderr += chunk;
      });
      child.on("close", (code) => resolve({ code, stderr }));
    });

  it.each([
    ["a full disk behind stdout", `"$node" "$mae" explain > /dev/full`, /could be written: the disk is full/],
    ["too few open files", `ulimit -n 24; "$node" "$mae" check`, /may not open more files at once[\s\S]*ulimit -n/],
    ["a working folder that is gone", `rm -r "$PWD"; "$node" "$mae" check`, /working folder does not exist any more/],
  ])("%s", async (_what, line, says) => {
    const { code, stderr } = await shell(line);
    expect(stderr).toMatch(says);
    expect(stderr).toMatch(/^error/);
    expect(stderr).not.toMatch(/\n\s+at |bug in mae/);
    expect(code).toBe(1);
  });

  it("no folder for temporary files", () => {
    const thrown = (act: () => void): unknown => {
      try {
        act();
      } catch (error) {
        return error;
      }
      return null;
    };
    const failure = systemFailure(thrown(() => mkdtempSync("/no/such/folder/mae-")));
    expect(failure?.message).toBe("the folder for temporary files cannot be used: it does not exist");
    expect(failure?.help).toContain("TMPDIR");
    expect(systemFailure(thrown(() => writeFileSync("/", "")))?.message).toBe("/: it is a folder");
    expect(systemFailure(new TypeError("ours"))).toBeNull();
  });
});

/** How `--help` and wrong command lines look, alike for all commands. */

import type { Command, OutputConfiguration } from "commander";
import { streams } from "./session.js";
import { exitCode } from "./words/failure.js";
import { stderrColors } from "./words/terminal.js";

const exitCodes = `Exit codes:
  ${exitCode.fine}    everything is fine
  ${exitCode.findings}    a spec has findings, or a run failed
  ${exitCode.usage}    the command line is wrong`;

/** The exit code that only training has. */
export const interruptedCode = `  ${exitCode.interrupted}  a training run was interrupted by Ctrl-C and saved`;

/** A line of a terminal that was never widened. */
const columns = 80;
/** An example that is longer has its explanation on the next line. */
const longExample = 36;

/** The first clause of the description is what the list of commands shows. */
export function command(program: Command, name: string, description: string): Command {
  const [summary = description] = description.split(/[:.]/);
  return program.command(name).description(description).summary(summary).helpOption("-h, --help", "show this help");
}

/** Examples and exit codes after the help. */
export function addText(
  to: Command,
  examples: readonly (readonly [line: string, what: string])[],
  moreCodes?: string,
): void {
  const short = examples.map(([line]) => line.length).filter((length) => length <= longExample);
  const widest = Math.max(...short, 0);
  const lines = examples.map(([line, what]) => {
    const beside = `  ${line.padEnd(widest)}  ${what}`.trimEnd();
    return line.length <= widest && beside.length <= columns ? beside : `  ${line}\n      ${what}`;
  });
  const codes = moreCodes === undefined ? exitCodes : `${exitCodes}\n${moreCodes}`;
  to.addHelpText("after", `\nExamples:\n${lines.join("\n")}\n\n${codes}`);
}

/** Commander's errors in the form of all others. */
function teachError(text: string): string {
  const colors = stderrColors();
  const [first = "", ...rest] = text
    .replace(/^error: /, "")
    .trimEnd()
    .split("\n");
  const [, what = first, rule] = /^(.* is invalid)\. (.*)$/.exec(first) ?? [];
  const hint = rule ?? rest.join(" ").replace(/^\(|\)$/g, "");
  const help = hint ? `${hint.charAt(0).toLowerCase()}${hint.slice(1)}` : "--help shows what there is";
  const head = `${colors.red(colors.bold("error"))}${colors.bold(`: ${what.replace(/\.$/, "")}`)}`;
  return `${head}\n  ${colors.blue("=")} ${colors.bold("help:")} ${help.replace(/\.$/, "")}\n`;
}

/** Where commander writes help and errors, and how wide. */
export const output: OutputConfiguration = {
  writeOut: (text) => streams().stdout.write(text),
  writeErr: (text) => streams().stderr.write(text),
  getOutHelpWidth: () => streams().stdout.columns ?? columns,
  getErrHelpWidth: () => streams().stderr.columns ?? columns,
  outputError: (text, write) => write(teachError(text)),
};

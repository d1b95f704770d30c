/**
 * Runs the shell steps of an action or a workflow as a runner of GitHub does: the expressions in them filled in, bash with the runner's
 * options, the variables and files that it gives. What it does not know, it refuses.
 */

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parse } from "yaml";

interface Step {
  readonly id?: string;
  readonly uses?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly run?: string;
}

export interface Job {
  /** The exit code of the step that failed, or 0. */
  readonly code: number;
  readonly log: string;
  /** Its summary, in Markdown. */
  readonly summary: string;
}

export interface Surroundings {
  readonly workspace: string;
  readonly inputs?: Readonly<Record<string, string>>;
  /** More variables for a step, by its text. */
  readonly more?: (run: string) => Readonly<Record<string, string>>;
}

/** An action's steps, with its inputs or their defaults. */
export function runAction(path: string, { inputs = {}, ...surroundings }: Surroundings): Job {
  const { inputs: declared, runs } = parse(readFileSync(path, "utf8"));
  const unknown = Object.keys(inputs).filter((name) => !Object.hasOwn(declared, name));
  if (unknown.length > 0) throw new Error(`the action has no input ${unknown}`);
  const defaults = Object.entries<{ default: string }>(declared).map(([name, input]) => [name, input.default]);
  return runSteps(runs.steps, { ...surroundings, inputs: { ...Object.fromEntries(defaults), ...inputs } });
}

/** The shell steps of the only job of a workflow; steps that use another action are left out. */
export function runWorkflow(path: string, surroundings: Surroundings): Job {
  const jobs: readonly { steps: readonly Step[] }[] = Object.values(parse(readFileSync(path, "utf8")).jobs);
  if (jobs.length !== 1) throw new Error("the workflow has not one job");
  return runSteps(jobs[0]?.steps.filter(({ uses }) => !uses) ?? [], surroundings);
}

function runSteps(steps: readonly Step[], surroundings: Surroundings): Job {
  const temporary = mkdtempSync(join(tmpdir(), "mae-runner-"));
  try {
    return runIn(temporary, steps, surroundings);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function runIn(
  temporary: string,
  steps: readonly Step[],
  { workspace, inputs = {}, more = () => ({}) }: Surroundings,
): Job {
  const summary = join(temporary, "summary.md");
  writeFileSync(summary, "");
  const outputs = new Map<string, string>();
  const filled = (text: string): string =>
    text.replace(/\$\{\{\s*(.+?)\s*\}\}/g, (_, expression: string) => {
      const input = /^inputs\.([\w-]+)$/.exec(expression)?.[1];
      const value = input === undefined ? outputs.get(expression) : inputs[input];
      if (value === undefined) throw new Error(`not known: ${expression}`);
      return value;
    });
  let log = "";
  for (const { id, run, env = {}, shell = "bash" } of steps) {
    if (run === undefined || shell !== "bash") throw new Error("not a step of bash");
    const [script, output] = [join(temporary, "step.sh"), join(temporary, "output")];
    writeFileSync(script, filled(run));
    writeFileSync(output, "");
    const ended = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
      cwd: workspace,
      encoding: "utf8",
      env: {
        ...process.env,
        CI: "true",
        GITHUB_ACTIONS: "true",
        GITHUB_WORKSPACE: workspace,
        GITHUB_OUTPUT: output,
        GITHUB_STEP_SUMMARY: summary,
        RUNNER_TEMP: temporary,
        ...Object.fromEntries(Object.entries(env).map(([name, value]) => [name, filled(value)])),
        ...more(run),
      },
    });
    log += ended.stdout + ended.stderr;
    for (const line of readFileSync(output, "utf8").split("\n").filter(Boolean)) {
      const at = line.indexOf("=");
      outputs.set(`steps.${id}.outputs.${line.slice(0, at)}`, line.slice(at + 1));
    }
    if (ended.status !== 0) return { code: ended.status ?? 1, log, summary: readFileSync(summary, "utf8") };
  }
  return { code: 0, log, summary: readFileSync(summary, "utf8") };
}

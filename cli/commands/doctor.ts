/** `mae doctor`: which ways of executing are on this machine, why the others are not, and what to do about it. */

import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import type { Availability } from "../../runtime/index.js";
import { configFile, findConfig } from "../config/index.js";
import { exitCode } from "../failure.js";
import { printedPath } from "../files.js";
import { packageVersion } from "../package-root.js";
import { type Colors, print, printJson, stdoutColors } from "../terminal.js";

export interface DoctorOptions {
  readonly json?: boolean;
}

interface Machine {
  readonly maelang: string;
  readonly node: string;
  readonly platform: string;
  readonly cores: number;
  readonly cpu: string;
  readonly memory_bytes: number;
  readonly free_memory_bytes: number;
  /** The configuration of the working folder, which is not read here; null: there is none. */
  readonly config: string | null;
}

export async function doctor(options: DoctorOptions): Promise<void> {
  const { chooseBackend, listExecutors } = await import("../../runtime/index.js");
  const machine = examine();
  const executors = await listExecutors();
  const automatic = await chooseBackend();
  const working = executors.some((executor) => executor.present);
  if (options.json) printJson({ format_version: "1.0", ok: working, ...machine, auto: automatic.backend, executors });
  else print(table(machine, executors, automatic.reason, stdoutColors()));
  if (!working) process.exitCode = exitCode.findings;
}

function examine(): Machine {
  const config = findConfig(".");
  return {
    maelang: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memory_bytes: totalmem(),
    free_memory_bytes: freemem(),
    config: config === null ? null : printedPath(config),
  };
}

function table(machine: Machine, executors: readonly Availability[], reason: string, colors: Colors): string {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const facts = [
    ["maelang", machine.maelang],
    ["node", `${machine.node} on ${machine.platform}`],
    ["processor", `${machine.cpu}, ${machine.cores} cores`],
    ["memory", `${gib(machine.memory_bytes)}, ${gib(machine.free_memory_bytes)} free`],
    ["project", machine.config ?? `no ${configFile} here or above`],
  ];
  const width = Math.max(...executors.map((e) => nameOf(e).length));
  const rows = executors.flatMap((executor) => rowsOf(executor, width, colors));
  const verdict = executors.some((executor) => executor.present)
    ? `${colors.green("✓")} --backend auto takes ${reason}`
    : `${colors.red("✗")} nothing here can run a model`;
  return `${[...facts.map(([name = "", value]) => `${name.padEnd(10)} ${value}`), "", ...rows, "", verdict].join("\n")}\n`;
}

const nameOf = ({ executor, backend }: Availability): string => `${executor} ${backend}`;

function rowsOf(executor: Availability, width: number, colors: Colors): string[] {
  const name = colors.bold(nameOf(executor).padEnd(width));
  if (executor.present) return [`${colors.green("✓")} ${name}  ${executor.device ?? ""}`];
  const remedy = executor.remedy ? [`  ${" ".repeat(width)}  ${colors.cyan(executor.remedy)}`] : [];
  return [`${colors.dim("–")} ${name}  ${executor.why ?? "not here"}`, ...remedy];
}

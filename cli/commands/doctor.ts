/** `mae doctor`: which ways of executing are on this machine, why the others are not, and what to do about it. */

import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import type { Availability } from "../../runtime/index.js";
import { exitCode } from "../failure.js";
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
  /** Version of the image library; null: it cannot be loaded. */
  readonly sharp: string | null;
}

export async function doctor(options: DoctorOptions): Promise<void> {
  const { listExecutors } = await import("../../runtime/index.js");
  const [machine, executors] = await Promise.all([examine(), listExecutors()]);
  const working = executors.some((executor) => executor.present);
  if (options.json) printJson({ format_version: "1.0", ok: working, ...machine, executors });
  else print(table(machine, executors, stdoutColors()));
  if (!working) process.exitCode = exitCode.findings;
}

async function examine(): Promise<Machine> {
  return {
    maelang: packageVersion(),
    node: process.versions.node,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    memory_bytes: totalmem(),
    free_memory_bytes: freemem(),
    sharp: await sharpVersion(),
  };
}

async function sharpVersion(): Promise<string | null> {
  try {
    const { default: sharp } = await import("sharp");
    return sharp.versions.sharp ?? sharp.versions.vips;
  } catch {
    return null;
  }
}

function table(machine: Machine, executors: readonly Availability[], colors: Colors): string {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const sharp = machine.sharp ?? colors.red("cannot be loaded: images cannot be read; run npm install sharp");
  const facts = [
    ["maelang", machine.maelang],
    ["node", `${machine.node} on ${machine.platform}`],
    ["processor", `${machine.cpu}, ${machine.cores} cores`],
    ["memory", `${gib(machine.memory_bytes)}, ${gib(machine.free_memory_bytes)} free`],
    ["sharp", sharp],
  ];
  const width = Math.max(...executors.map((e) => nameOf(e).length));
  const rows = executors.flatMap((executor) => rowsOf(executor, width, colors));
  const first = executors.find((executor) => executor.present);
  const verdict = first
    ? `${colors.green("✓")} mae train can run here; --backend auto takes the first that is present`
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

/** `mae doctor`: which ways of executing, and of reading images, are on this machine, why others are not, and what to do about it. */

import { availableParallelism, cpus, freemem, totalmem } from "node:os";
import type { Availability, DecoderAvailability } from "../../runtime/index.js";
import { configFile, findConfig } from "../config/index.js";
import { packageVersion } from "../package-root.js";
import { endWith } from "../session.js";
import { printedPath } from "../specs/files.js";
import { exitCode } from "../words/failure.js";
import { type Colors, print, printJson, stdoutColors, stdoutColumns } from "../words/terminal.js";
import { wrapped } from "../words/text-width.js";

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
  const { chooseBackend, listExecutors, probeDecoder } = await import("../../runtime/index.js");
  const machine = examine();
  const executors = await listExecutors();
  const automatic = await chooseBackend();
  const decoder = await probeDecoder();
  const working = executors.some((executor) => executor.present);
  if (options.json)
    printJson({ format_version: "1.0", ok: working, ...machine, auto: automatic.backend, executors, decoder });
  else print(table(machine, { executors, decoder, reason: automatic.reason }, stdoutColors()));
  if (!working) endWith(exitCode.findings);
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

interface Found {
  readonly executors: readonly Availability[];
  readonly decoder: DecoderAvailability;
  /** Why the automatic choice is what it is. */
  readonly reason: string;
}

function table(machine: Machine, { executors, decoder, reason }: Found, colors: Colors): string {
  const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  const facts = [
    ["maelang", machine.maelang],
    ["node", `${machine.node} on ${machine.platform}`],
    ["processor", `${machine.cpu}, ${machine.cores} cores`],
    ["memory", `${gib(machine.memory_bytes)}, ${gib(machine.free_memory_bytes)} free`],
    ["project", machine.config ?? `no ${configFile} here or above`],
  ];
  const things = [...executors.map(thingOf), { ...decoder, name: "image files", device: `sharp ${decoder.version}` }];
  const width = Math.max(...things.map(({ name }) => name.length));
  const rows = things.flatMap((thing) => rowsOf(thing, width, colors));
  const verdict = executors.some((executor) => executor.present)
    ? `${colors.green("✓")} --backend auto takes ${reason}`
    : `${colors.red("✗")} nothing here can run a model`;
  return `${[...facts.map(([name = "", value]) => `${name.padEnd(10)} ${value}`), "", ...rows, "", verdict].join("\n")}\n`;
}

/** A way of executing or of reading images: a row, and one below it for what to do. */
type Thing = Pick<Availability, "present" | "device" | "why" | "remedy"> & { readonly name: string };

const thingOf = (found: Availability): Thing => ({ ...found, name: `${found.executor} ${found.backend}` });

function rowsOf({ present, device, why, remedy, ...thing }: Thing, width: number, colors: Colors): string[] {
  const name = colors.bold(thing.name.padEnd(width));
  if (present) return [`${colors.green("✓")} ${name}  ${device ?? ""}`];
  const indent = " ".repeat(width + 4);
  const below = remedy ? wrapped(remedy, stdoutColumns() - indent.length) : [];
  return [`${colors.dim("–")} ${name}  ${why ?? "not here"}`, ...below.map((line) => indent + colors.cyan(line))];
}

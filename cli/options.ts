/** Options and arguments that several commands have. */

import { Argument, type Command, Option } from "commander";
import type { CheckpointInterval } from "../runtime/index.js";
import { checkpointInterval, memorySize, timeSpan, wholeNumber } from "./arguments.js";
import { hostCount, meetingPoint, mostHosts } from "./machine/hosts.js";

/** Options that change settings of a recipe; if absent, as the recipe says. */
export interface SettingFlags {
  readonly batch?: number;
  readonly epochs?: number;
  readonly steps?: number;
  readonly seed?: number;
}

/** As many as a recipe can say. */
export const mostSamples = 2 ** 31 - 1;

export const microBatchOption = [
  "--micro-batch <n>",
  "samples computed at once; gradients of a batch are summed (default: what fits into memory)",
  wholeNumber(1, mostSamples),
] as const;

export const recomputeOption = [
  "--recompute",
  "compute layers again for their gradients instead of keeping them: less memory, more time",
] as const;

export const memoryOption = (): Option =>
  new Option("--memory <size>", "memory to fit a step into, as 16GiB (default: the machine's)").argParser(memorySize);

/** Steps of small models are done soon, those of large ones take long. */
const usualCheckpoints: CheckpointInterval = { steps: 500, seconds: 600 };

export const checkpointOption = (): Option =>
  new Option("--checkpoint-every <interval>", 'how often to save: "500 steps", "2 epochs", "10 min"')
    .argParser(checkpointInterval)
    .default(usualCheckpoints, "500 steps or 10 min, whichever is over first");

/** Backends that compute in the machine's memory, as far as it was measured. That of a graphics card is not known here. */
export const measuredBackends = ["onnx", "wasm"] as const;

export const weightsOption = (): Option =>
  new Option(
    "--weights <which>",
    "running averages, or the weights as the last step left them (default: averages where the recipe keeps some)",
  ).choices(["averaged", "last"]);

export const splitOption = (): Option =>
  new Option(
    "--split <name>",
    "which part of the recipe's data (default: test, or train where it names no test data)",
  ).choices(["train", "test"]);

export const configOption = [
  "--config <file>",
  "the mae.config.json whose block files to use (default: the nearest above the spec; of a run or checkpoint, above the working folder)",
] as const;

export const specArgument = (): Argument => new Argument("<file>", "a .mae file");

/** No machine has more cores; asked for by mistake, more would keep it busy with starting them. */
export const mostThreads = 1024;

/** Of a command that computes, the choice of where and how: last in its help. */
export const onBackend = (to: Command): Command =>
  to
    .optionsGroup("Options of the machine:")
    .option("--backend <name>", "auto, or one that mae doctor lists", "auto")
    .option(
      "--threads <n>",
      "threads that compute, with the backend onnx (default: one per core)",
      wholeNumber(1, mostThreads),
    )
    .option("--spin", "let idle threads of onnx wait busily (default: for 50 microseconds, then they sleep)")
    .option("--no-spin", "let them sleep at once, for a machine with much else to do")
    .option(
      "--devices <n>",
      "devices that compute together, each its share of the samples, with the backend xla (default: 1)",
      wholeNumber(1, mostThreads),
    )
    .option("--shard-state", "let each of several devices hold its share of weights and moments, not all of them")
    .addOption(
      new Option(
        "--compile-limit <time>",
        'give up a step that xla has not compiled by then (default: "30 min"; as "90 s", "2 h")',
      ).argParser(timeSpan),
    )
    .option(...configOption);

/** Of `mae plan`. */
export const plannedDevicesOption = (): Option =>
  new Option("--devices <n>", "say what each of so many devices holds, with the backend xla").argParser(
    wholeNumber(1, mostThreads),
  );

/** Of a command that several hosts can be given, which they are. */
export const onHosts = (to: Command): Command =>
  to
    .optionsGroup("Options of several hosts:")
    .addOption(
      new Option(
        "--hosts <n>",
        "train on so many hosts together, each its share of every batch; auto: as SLURM, torchrun or Kubernetes say",
      ).argParser(hostCount),
    )
    .option("--host <i>", "which of the hosts this is, from 0, which keeps the run", wholeNumber(0, mostHosts - 1))
    .addOption(new Option("--meet <address:port>", "where the first host waits for the others").argParser(meetingPoint))
    .addOption(
      new Option(
        "--host-timeout <time>",
        'give a host up that says nothing for so long (default: "10 min"; as "90 s")',
      ).argParser(timeSpan),
    )
    .option(
      "--collectives",
      "let GPUs sum gradients over hosts by themselves, with the backend xla (tried on no GPU yet)",
    );

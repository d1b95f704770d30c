/** Measurements as a Markdown table. */

import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, totalmem } from "node:os";
import { type Failed, median, type Result } from "./contest.js";
import { type Contested, peakFlops } from "./sizes.js";

export interface Measurement {
  readonly size: Contested;
  readonly threads: number;
  /** Matrix products of one step. */
  readonly flops: number;
  readonly results: readonly (Result | Failed)[];
}

export interface Machine {
  readonly processor: string;
  /** Vector and matrix extensions that say what its peak is: `avx2`, `avx512f`, `amx_bf16` ...; empty where they are not known. */
  readonly extensions: readonly string[];
  readonly cores: number;
  readonly memoryBytes: number;
  readonly node: string;
  readonly onnxruntime: string;
  /** Processes that wanted to run, mean of the last minutes: far more than the cores is a busy machine. */
  readonly load: readonly number[];
  readonly torch?: string;
}

export function describeMachine(): Machine {
  const { version } = JSON.parse(readFileSync("node_modules/onnxruntime-node/package.json", "utf8")) as {
    version: string;
  };
  return {
    processor: cpus()[0]?.model.trim() ?? "unknown",
    extensions: extensionsHere(),
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    node: process.versions.node,
    onnxruntime: version,
    load: loadavg().map((value) => Math.round(value * 10) / 10),
  };
}

const telling = /^(avx2|fma|avx512f|avx512_bf16|avx512_vnni|amx_tile|amx_bf16|asimd|sve|bf16)$/;

/** Of Linux, which says them of each processor. */
function extensionsHere(): readonly string[] {
  try {
    const flags = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    return flags.split(" ").filter((flag) => telling.test(flag));
  } catch {
    return [];
  }
}

export const isResult = (result: Result | Failed): result is Result => "steps" in result;

const ms = (seconds: number): string => (seconds * 1000).toFixed(seconds < 0.1 ? 1 : 0);

/** Whether a contestant makes no step of a model. */
export const isProducts = (name: string): boolean => name === "peak" || name === "sgemm";

/** The largest rate of matrix products in float32 that was seen at this number of threads. */
function peakRate(results: readonly Result[]): number | null {
  const seconds = results.filter(({ name }) => isProducts(name)).flatMap(({ steps }) => steps.map((s) => s.seconds));
  return seconds.length === 0 ? null : peakFlops / Math.min(...seconds);
}

const words: Readonly<Record<string, string>> = {
  onnx: "ours, onnx",
  "onnx-rows": "ours, onnx, products as rows",
  wasm: "ours, TensorFlow.js wasm",
  naive: "TensorFlow.js by hand, wasm",
  eager: "PyTorch eager",
  compile: "PyTorch torch.compile",
  xla: "ours, xla",
  "xla-kept": "ours, xla, with a kept executable",
  "xla-bf16": "ours, xla, bfloat16",
  "xla-bf16-kept": "ours, xla, bfloat16, with a kept executable",
  "eager-bf16": "PyTorch eager, bfloat16 by autocast",
  peak: "matrix products alone, onnxruntime",
  sgemm: "matrix products alone, PyTorch",
};

export const contestantText = (name: string): string => words[name] ?? name;

function row(
  { size, threads, flops }: Measurement,
  result: Result,
  eager: Result | undefined,
  peak: number | null,
): string {
  const seconds = result.steps.map((step) => step.seconds);
  const processor = result.steps.map((step) => step.processorSeconds);
  const middle = median(seconds);
  const rate = (isProducts(result.name) ? peakFlops : flops) / middle;
  const compile = Object.values(result.compile).reduce((sum, part) => sum + part, 0);
  const ratioTo = (one: (r: Result) => number): string =>
    eager && !isProducts(result.name) ? (one(result) / one(eager)).toFixed(2) : "";
  const measured = result.steps.length > 0;
  return `| ${[
    size.name,
    threads,
    contestantText(result.name),
    measured ? `${ms(middle)} (${ms(Math.min(...seconds))}–${ms(Math.max(...seconds))})` : "",
    measured ? ratioTo((r) => median(r.steps.map((s) => s.seconds))) : "",
    measured ? ms(median(processor)) : "",
    measured ? ratioTo((r) => median(r.steps.map((s) => s.processorSeconds))) : "",
    measured && !isProducts(result.name) ? (size.batch / middle).toFixed(1) : "",
    measured ? `${(rate / 1e9).toFixed(0)}${peak === null ? "" : ` (${Math.round((100 * rate) / peak)} %)`}` : "",
    `${(result.peakBytes / 1e6).toFixed(0)}`,
    compile === 0 ? "" : compile.toFixed(1),
    result.steps.length,
  ].join(" | ")} |`;
}

const head = [
  "size",
  "threads",
  "what",
  "step, ms: median (range)",
  "/ eager",
  "processor time, ms",
  "/ eager",
  "images/s",
  "GFLOP/s (of peak)",
  "peak memory, MB",
  "compile, s",
  "steps",
];

export function table(machine: Machine, measured: readonly Measurement[]): string {
  const rows = measured.flatMap((measurement) => {
    const results = measurement.results.filter(isResult);
    const eager = results.find(({ name }) => name === "eager");
    const peak = peakRate(results);
    return [
      ...results.map((result) => row(measurement, result, eager, peak)),
      ...measurement.results
        .filter((result) => "failed" in result)
        .map(
          ({ name, failed }) =>
            `| ${measurement.size.name} | ${measurement.threads} | ${contestantText(name)} | failed: ${failed} |`,
        ),
    ];
  });
  const about = [
    `${machine.processor}${machine.extensions.length === 0 ? "" : ` (${machine.extensions.join(", ")})`}, ${machine.cores} cores, ${(machine.memoryBytes / 2 ** 30).toFixed(0)} GiB`,
    `Node ${machine.node}`,
    `onnxruntime ${machine.onnxruntime}`,
    ...(machine.torch === undefined ? [] : [`PyTorch ${machine.torch}`]),
    `load ${machine.load.join(", ")}`,
  ];
  const lines = [`| ${head.join(" | ")} |`, `| ${head.map(() => "---").join(" | ")} |`, ...rows];
  return `${about.join("; ")}\n\n${lines.join("\n")}\n`;
}

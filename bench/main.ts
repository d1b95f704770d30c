/**
 * `npm run bench`: how long a training step takes, ours and others', on this machine. Writes `bench.json`, `bench.md` and,
 * with --scaling, pictures.
 */

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { drawChart } from "./chart.js";
import { commandTable } from "./commands.js";
import { type Contestant, contest, type Failed, type Result } from "./contest.js";
import { hostsTable } from "./hosts.js";
import { memorySizes, memoryTable } from "./memory.js";
import { passTable } from "./passes.js";
import { describeMachine, type Measurement, table } from "./report.js";
import { type Contested, classifiers, flopsOf, larger, peakProducts, type Size, sizes } from "./sizes.js";
import { strokeTable } from "./strokes.js";
import { waitingTable, waitingToys } from "./waiting.js";

const all: readonly Contested[] = [...sizes, ...larger, ...classifiers];

const help = `npm run bench -- [options]
  --quick               the smallest size, few rounds: about a minute
  --sizes a,b           of ${all.map(({ name }) => name).join(", ")}
  --threads 1,2         default: 1 and one a core
  --contestants a,b     of onnx, onnx-rows, xla, xla-bf16, wasm, naive, eager, eager-bf16, compile; onnx-rows (products not in
                        blocks) and those of xla only when they are named
  --rounds n            measured steps of each
  --python path         a Python with torch; or the variable MAE_BENCH_PYTHON
  --compile             only the time from a model to its first step, of large models too, on onnx or those of --contestants; xla also
                        with the executable that it has kept
  --passes              what each pass over the graph brings; nothing is run
  --commands            what commands cost beside starting Node
  --editor              what an editor waits for after each stroke of a key
  --memory              the peak of training beside what mae plan expects, on onnx and wasm, or those of --contestants
  --waiting             what preparing a batch of the toys costs beside a step, and how long a run waits for data; or of --toys a,b
  --hosts               what two hosts on this machine take to sum all gradients, beside a step on one
  --scaling             step time against batch, width, depth and tokens, as pictures
  --out folder          default: build/bench/results
`;

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    compile: { type: "boolean", default: false },
    passes: { type: "boolean", default: false },
    commands: { type: "boolean", default: false },
    editor: { type: "boolean", default: false },
    memory: { type: "boolean", default: false },
    waiting: { type: "boolean", default: false },
    toys: { type: "string" },
    scaling: { type: "boolean", default: false },
    hosts: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    sizes: { type: "string" },
    threads: { type: "string" },
    contestants: { type: "string" },
    rounds: { type: "string" },
    python: { type: "string" },
    out: { type: "string", default: "build/bench/results" },
  },
});

const here = import.meta.dirname;
const python = options.python ?? process.env.MAE_BENCH_PYTHON;
const tell = (text: string): void => void process.stderr.write(`${text}\n`);
const list = (text: string): string[] => text.split(",").map((word) => word.trim());
const cores = describeMachine().cores;
const threadCounts = options.threads ? list(options.threads).map(Number) : [...new Set([1, cores])];

/** Contestants in the order of a table. `peak` and `sgemm` are matrix products alone, ours and PyTorch's. */
const known = [
  ...(["peak", "sgemm", "onnx", "onnx-rows", "xla", "xla-bf16"] as const),
  ...(["eager", "eager-bf16", "compile", "wasm", "naive"] as const),
];
type Name = (typeof known)[number];

/** Not asked for unless they are named: they need a plugin, or compute in another way than one would. */
const byName: readonly Name[] = ["onnx-rows", "xla", "xla-bf16", "eager-bf16"];

function command(name: Name, size: Contested, threads: number): readonly [string, ...string[]] {
  const node = (script: string, settings: object) =>
    [process.execPath, join(here, `${script}.mjs`), JSON.stringify(settings)] as const;
  switch (name) {
    case "peak":
      return node("peak", { threads });
    case "onnx":
      return node("compiled", { size, backend: "onnx", threads });
    case "onnx-rows":
      return node("compiled", { size, backend: "onnx", threads, products: "rows" });
    case "wasm":
      return node("compiled", { size, backend: "wasm" });
    case "xla":
      return node("compiled", { size, backend: "xla" });
    case "xla-bf16":
      return node("compiled", { size, backend: "xla", precision: "bfloat16" });
    case "naive":
      return node("naive", { size });
    case "sgemm":
      return [
        python ?? "python3",
        join(here, "../../bench/pytorch.py"),
        JSON.stringify({ products: peakProducts, threads }),
      ];
    case "eager":
    case "eager-bf16":
    case "compile":
      return [python ?? "python3", join(here, "../../bench/pytorch.py"), JSON.stringify({ size, threads, mode: name })];
  }
}

const ofPyTorch: readonly Name[] = ["sgemm", "eager", "eager-bf16", "compile"];

/** TensorFlow.js knows one thread only, and takes minutes a step beyond the small sizes. */
const isSlow = (name: Name): boolean => name === "wasm" || name === "naive";
const isSmall = (size: Contested): boolean => size.image < 96;

function contestantsFor(size: Contested, threads: number, rounds: number): Contestant[] {
  const usual: readonly string[] = known.filter((name) => !byName.includes(name));
  const asked = options.contestants ? list(options.contestants) : options.quick ? ["onnx", "eager", "wasm"] : usual;
  return known
    .filter((name) => name === "peak" || name === "sgemm" || asked.includes(name))
    .filter((name) => !ofPyTorch.includes(name) || python !== undefined)
    .filter((name) => !isSlow(name) || (threads === 1 && isSmall(size)))
    .map((name) => ({
      name,
      command: command(name, size, threads),
      rounds: isSlow(name) ? Math.min(rounds, options.quick ? 1 : 2) : rounds,
      warmup: isSlow(name) ? 0 : 2,
    }));
}

async function measure(size: Contested, threads: number, rounds: number): Promise<Measurement> {
  tell(`${size.name}, ${threads} thread${threads === 1 ? "" : "s"}`);
  const results = await contest(contestantsFor(size, threads, rounds), tell);
  return { size, threads, flops: flopsOf(size), results };
}

interface Way {
  readonly name: string;
  /** What its numbers count. */
  readonly unit: string;
  readonly numbers: readonly number[];
  readonly grow: (base: Size, n: number) => Size;
}

/** How a size can grow. */
const ways: readonly Way[] = [
  { name: "batch", unit: "images", numbers: [4, 8, 16, 32, 64], grow: (base, batch) => ({ ...base, batch }) },
  {
    name: "width",
    unit: "features of the encoder",
    numbers: [96, 192, 288, 384],
    grow: (base, width) => ({ ...base, encoder: { ...base.encoder, width } }),
  },
  {
    name: "depth",
    unit: "blocks of the encoder",
    numbers: [3, 6, 12, 18],
    grow: (base, depth) => ({ ...base, encoder: { ...base.encoder, depth } }),
  },
  {
    name: "tokens",
    unit: "patches of an image",
    numbers: [16, 64, 144, 256],
    grow: (base, tokens) => ({ ...base, image: Math.sqrt(tokens) * base.patch }),
  },
];

async function scale(folder: string, rounds: number): Promise<Measurement[]> {
  const [smallest] = sizes as readonly [Size];
  const threads = threadCounts.at(-1) ?? 1;
  const measured: Measurement[] = [];
  for (const { name, unit, numbers, grow } of ways) {
    const points: { readonly at: number; readonly measurement: Measurement }[] = [];
    for (const at of numbers) {
      const size = { ...grow(smallest, at), name: `${smallest.name}, ${name} ${at}` };
      points.push({ at, measurement: await measure(size, threads, rounds) });
    }
    writeFileSync(join(folder, `${name}.svg`), drawChart({ name, unit, threads, points }));
    measured.push(...points.map(({ measurement }) => measurement));
  }
  return measured;
}

/** From a model to a step that can be run; no step is made, so that the largest models need no memory for one. */
async function compileTimes(chosen: readonly Contested[]): Promise<Measurement[]> {
  const names = known.filter((name) => (options.contestants ? list(options.contestants) : ["onnx"]).includes(name));
  const cache = mkdtempSync(join(tmpdir(), "maelang-bench-"));
  const measured: Measurement[] = [];
  try {
    for (const size of chosen.flatMap((one) => [1, 8].map((batch) => ({ ...one, batch })))) {
      tell(`${size.name}, batch ${size.batch}`);
      const results: (Result | Failed)[] = [];
      // One after the other: the second of xla takes what the first has kept.
      for (const one of names.flatMap((name) => compiling(name, size, cache)))
        results.push(...(await contest([one], tell)));
      const named = { ...size, name: `${size.name}, batch ${size.batch}` };
      measured.push({ size: named, threads: cores, flops: flopsOf(size), results });
    }
  } finally {
    rmSync(cache, { recursive: true });
  }
  return measured;
}

/** A contestant that makes no step; of xla, one that finds nothing kept and one that does. */
function compiling(name: Name, size: Contested, cache: string): readonly Contestant[] {
  const own = { name, command: command(name, size, cores), rounds: 0, warmup: 0, env: { XDG_CACHE_HOME: cache } };
  return name.startsWith("xla") ? [own, { ...own, name: `${name}-kept` }] : [own];
}

async function main(): Promise<void> {
  if (options.help) return void process.stdout.write(help);
  const usual = options.quick ? sizes.slice(0, 1) : [...sizes, ...classifiers];
  const names = options.sizes ? list(options.sizes) : usual.map(({ name }) => name);
  const chosen = all.filter(({ name }) => names.includes(name));
  if (options.passes) return void process.stdout.write(passTable(chosen));
  if (options.commands) return void process.stdout.write(commandTable(Number(options.rounds ?? 15)));
  if (options.editor) return void process.stdout.write(await strokeTable(Number(options.rounds ?? 60)));
  if (options.memory) {
    const measured = memorySizes.filter(({ name }) => options.sizes === undefined || names.includes(name));
    const on = (["onnx", "wasm"] as const).filter((name) => options.contestants?.includes(name) ?? true);
    return void process.stdout.write(await memoryTable(measured, on, tell));
  }
  if (options.hosts) {
    const step = (size: Contested) => command("onnx", size, cores);
    const how = { rounds: Number(options.rounds ?? 5), step };
    return void process.stdout.write(await hostsTable(options.sizes ? chosen : sizes, how, tell));
  }
  if (options.waiting) {
    const toys = options.toys ? list(options.toys) : waitingToys;
    return void process.stdout.write(await waitingTable(toys, tell));
  }
  if (python === undefined) tell("no PyTorch: --python or MAE_BENCH_PYTHON names a Python that has it");
  mkdirSync(options.out, { recursive: true });
  const rounds = Number(options.rounds ?? (options.quick ? 5 : options.scaling ? 5 : 15));
  const measured: Measurement[] = [];
  if (options.compile) measured.push(...(await compileTimes(options.sizes ? chosen : [...sizes, ...larger])));
  else if (options.scaling) measured.push(...(await scale(options.out, rounds)));
  else
    for (const size of chosen) for (const threads of threadCounts) measured.push(await measure(size, threads, rounds));
  const machine = { ...describeMachine(), ...(python === undefined ? {} : { torch: torchVersion(python) }) };
  const text = table(machine, measured);
  writeFileSync(join(options.out, "bench.json"), `${JSON.stringify({ machine, measured }, null, 1)}\n`);
  writeFileSync(join(options.out, "bench.md"), text);
  process.stdout.write(text);
}

function torchVersion(program: string): string {
  try {
    return execFileSync(program, ["-c", "import torch; print(torch.__version__)"], { encoding: "utf8" }).trim();
  } catch {
    return "none";
  }
}

await main();

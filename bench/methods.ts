/**
 * `npm run bench:methods`: what methods make of the same data, encoder and compute, over several seeds. Trains the toy specs of `examples/` with a
 * smaller encoder, each for as many steps as cost the matrix FLOPs of the masked autoencoder's; fine-tunes what they have learned, all in the same
 * way; judges them by `mae eval` and `mae diagnose`; and writes `methods.json` and `methods.md`. What is finished is kept, so that it may be stopped
 * and given again.
 */

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values: options } = parseArgs({
  options: {
    only: { type: "string" },
    seeds: { type: "string", default: "0,1,2" },
    steps: { type: "string", default: "1500" },
    finetune: { type: "string", default: "150" },
    samples: { type: "string", default: "3000" },
    out: { type: "string", default: "build/bench/methods" },
    help: { type: "boolean", default: false },
  },
});

const batch = 32;
/** Half as deep as in the examples and narrower, so that a step takes little time and many fit into the compute. */
const encoder = { depth: 2, width: 48 };

/** What a method trains on the way to its encoder: a model by a recipe, both of a file of examples/. */
interface Stage {
  readonly name: string;
  readonly file: string;
  readonly model: string;
  readonly recipe: string;
  /** The learning rate of 64 images. */
  readonly rate: string;
  /** Of the compute that a method may spend. */
  readonly share: number;
  /** What follows the stage before it, where it starts from one. */
  readonly from?: string;
}

interface Method {
  readonly name: string;
  readonly title: string;
  readonly stages: readonly Stage[];
}

const digits = { file: "digits", model: "Digits", recipe: "TrainDigits", rate: "3e-3" };
const dino = { file: "digits-dino", model: "DigitsDino", recipe: "TrainDigitsDino", rate: "1e-3" };
const ganMae = { file: "digits-gan-mae", model: "DigitsGanMae", recipe: "TrainDigitsGanMae", rate: "1e-3" };

/** Everything in one stage, of the example that is named like the method. */
const whole = (name: string, title: string, model: string, rate: string): Method => ({
  name,
  title,
  stages: [{ name: "pretrain", file: `digits-${name}`, model, recipe: `Train${model}`, rate, share: 1 }],
});

const methods: readonly Method[] = [
  { name: "untrained", title: "untrained encoder", stages: [{ name: "pretrain", ...digits, share: 0 }] },
  { name: "mae", title: "MAE", stages: [{ name: "pretrain", ...digits, share: 1 }] },
  whole("u-mae", "U-MAE", "DigitsUMae", "3e-3"),
  {
    name: "gan-mae",
    title: "GAN-MAE",
    stages: [
      { name: "mae", ...digits, share: 0.5 },
      { name: "sharp", ...ganMae, share: 0.5, from: "mae fresh adversary" },
    ],
  },
  whole("r-mae", "R-MAE", "DigitsRMae", "3e-3"),
  whole("simclr", "SimCLR", "DigitsSimClr", "1e-3"),
  whole("moco-v3", "MoCo v3", "DigitsMoCoV3", "1e-3"),
  whole("dino", "DINO", "DigitsDino", "1e-3"),
  whole("ibot", "iBOT", "DigitsIbot", "1e-3"),
  whole("cmae", "CMAE", "DigitsCmae", "3e-3"),
  {
    name: "mae-dino",
    title: "MAE, then DINO",
    stages: [
      { name: "mae", ...digits, share: 0.5 },
      { name: "dino", ...dino, share: 0.5, from: "mae.encoder fresh head" },
    ],
  },
];

const help = `npm run bench:methods -- [options]
  --only a,b       of ${methods.map(({ name }) => name).join(", ")}
  --seeds 0,1,2
  --steps n        of MAE, of ${batch} images; the others get as many as cost the same matrix FLOPs
  --finetune n     steps of ${batch} images with labels that follow
  --samples n      images of each split that probes look at
  --out folder     default: build/bench/methods
`;

const mae = (...args: readonly string[]): string =>
  execFileSync(process.execPath, ["dist/cli.js", ...args], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
    stdio: ["ignore", "pipe", "ignore"],
  });

const inCapitals = (name: string): string =>
  name
    .split("-")
    .map((part) => `${part[0]?.toUpperCase()}${part.slice(1)}`)
    .join("");

/** The model with the encoder that all methods have. */
const modelOf = (model: string): string => `
model Small${model} extends ${model} {
  set encoder.depth: ${encoder.depth}
  set encoder.width: ${encoder.width}
}
`;

const recipeName = (method: Method, stage: Stage): string => `${inCapitals(method.name)}By${inCapitals(stage.name)}`;

/** A stage's recipe: the example's, with the batch, the rule of steps and the warm-up that all methods have. */
const recipeOf = (method: Method, stage: Stage, steps: number): string => `
recipe ${recipeName(method, stage)} extends ${stage.recipe} for Small${stage.model} {
  remove  epochs
  set     steps: ${steps}
  set     batch: ${batch}
  set     optimizer.lr: ${stage.share === 0 ? "1e-12" : `${stage.rate} per 64`}
  replace schedule cosine(warmup: ${Math.floor(steps / 10)} steps)
}
`;

const pipelineOf = (method: Method): string => {
  const stages = method.stages.map((stage) => {
    const from = stage.from ? ` from ${stage.from}` : "";
    return `  stage ${stage.name} = ${recipeName(method, stage)} of Small${stage.model}${from}`;
  });
  return `
pipeline ${inCapitals(method.name)} {
${stages.join("\n")}
  stage finetune = Tune of SmallDigitClasses from ${method.stages.at(-1)?.name}.encoder fresh head
  evaluate finetune: accuracy
}
`;
};

/** A method with the steps of each stage. */
interface Planned {
  readonly method: Method;
  readonly steps: readonly number[];
}

/** All methods as pipelines of one text. Paths of imports are relative to the folder that it lies in. */
function specOf(all: readonly Planned[], finetune: number, folder: string): string {
  const classes = { file: "digits-finetune", model: "DigitClasses", recipe: "FinetuneDigits" };
  const every = [...all.flatMap(({ method }) => method.stages), classes];
  const up = "../".repeat(folder.split("/").length);
  const imports = [...new Set(every.map(({ file }) => file))].map((file) => {
    const own = every.filter((one) => one.file === file).flatMap(({ model, recipe }) => [model, recipe]);
    return `import { ${[...new Set(own)].join(", ")} } from "${up}examples/${file}.mae"\n`;
  });
  const models = [...new Set(every.map(({ model }) => model))].map(modelOf);
  const recipes = all.flatMap(({ method, steps }) =>
    method.stages.map((stage, i) => recipeOf(method, stage, steps[i] as number)),
  );
  return `edition 2026

${imports.join("")}${models.join("")}${recipes.join("")}
/// The same for all: a few hundred steps are too few for samples that are changed and for averages, and an untrained layer needs the whole rate.
recipe Tune extends FinetuneDigits for SmallDigitClasses {
  remove  epochs
  set     steps: ${finetune}
  set     batch: ${batch}
  remove  average
  set     optimizer.lr: 2e-3 per 64
  set     optimizer.layer_decay: 1
  replace augment normalize(mnist)
  replace schedule cosine(warmup: ${Math.floor(finetune / 10)} steps)
}
${all.map(({ method }) => pipelineOf(method)).join("")}`;
}

/** Matrix FLOPs of training on one image, by model. */
function costsIn(spec: string): ReadonlyMap<string, number> {
  const models = new Set(methods.flatMap(({ stages }) => stages.map(({ model }) => model)));
  return new Map(
    [...models].map((model) => {
      const plan = JSON.parse(mae("plan", spec, `Small${model}`, "--json")) as { flops: { training: number } };
      return [model, plan.flops.training];
    }),
  );
}

/** Writes the text of all methods, with the steps that `images` of the masked autoencoder's pay for. */
function writeSpec(spec: string, folder: string, images: number, finetune: number): readonly Planned[] {
  const write = (all: readonly Planned[]): readonly Planned[] => {
    writeFileSync(spec, specOf(all, finetune, folder));
    return all;
  };
  // What a step costs is planned from a text, for which any number of steps does.
  write(methods.map((method) => ({ method, steps: method.stages.map(() => 10) })));
  const costs = costsIn(spec);
  const costOf = ({ model }: Pick<Stage, "model">): number => costs.get(model) as number;
  const budget = images * costOf(digits);
  // An untrained encoder makes one step, too short to move it: so it has a run like the others.
  const stepsOf = (stage: Stage): number => Math.max(1, Math.round((stage.share * budget) / (batch * costOf(stage))));
  return write(methods.map((method) => ({ method, steps: method.stages.map(stepsOf) })));
}

/** What the commands say of a run, as far as it is read. */
interface Judged {
  readonly rows: readonly {
    readonly pool: string | null;
    readonly probe: string;
    readonly scores: Readonly<Record<string, number>>;
  }[];
}
interface Diagnosis {
  readonly attention: readonly { readonly mutual_information: readonly number[] }[];
}
interface Report {
  readonly stages: readonly { readonly scores: Readonly<Record<string, number>> }[];
}

interface Run {
  readonly judged: Judged;
  readonly diagnosis: Diagnosis;
  readonly report: Report;
}

/** What a command says as JSON, kept beside the run. */
function kept<Said>(file: string, say: () => string): Said {
  if (!existsSync(file)) writeFileSync(file, say());
  return JSON.parse(readFileSync(file, "utf8")) as Said;
}

function runOf({ method, steps }: Planned, spec: string, seed: number, folder: string): Run {
  const own = join(folder, `${method.name}-${seed}`);
  const report = join(own, "report.json");
  if (!existsSync(report)) {
    process.stderr.write(`${method.name}, seed ${seed}: ${steps.join(" and ")} steps\n`);
    const how = existsSync(own) ? ["--resume"] : [];
    const args = ["train", spec, inCapitals(method.name), "--seed", String(seed), "--out", own, ...how];
    const { status } = spawnSync(process.execPath, ["dist/cli.js", ...args], {
      stdio: ["ignore", "ignore", "inherit"],
    });
    if (status !== 0) throw new Error(`training ${method.name} ended with ${status}`);
  }
  const last = join(own, method.stages.at(-1)?.name as string);
  const probes = ["--with", "knn,linear,rank", "--samples", options.samples, "--no-baselines", "--json"];
  return {
    judged: kept(join(own, `eval-${options.samples}.json`), () => mae("eval", last, ...probes)),
    diagnosis: kept(join(own, "diagnosis.json"), () => mae("diagnose", last, "--json")),
    report: JSON.parse(readFileSync(report, "utf8")) as Report,
  };
}

interface Column {
  readonly title: string;
  readonly of: (run: Run) => number;
}

const probed =
  (pool: string, probe: string, factor: number): Column["of"] =>
  ({ judged }) => {
    const row = judged.rows.find((row) => row.pool === pool && row.probe === probe);
    if (!row) throw new Error(`no ${probe} of ${pool}`);
    return factor * (Object.values(row.scores)[0] as number);
  };

const meanOf = (numbers: readonly number[]): number => numbers.reduce((sum, x) => sum + x, 0) / numbers.length;

/** 100 times how much where a patch looks says of which patch it is; mean over the heads of the last layer. */
const diversity = ({ diagnosis }: Run): number => 100 * meanOf(diagnosis.attention.at(-1)?.mutual_information ?? []);

const columns: readonly Column[] = [
  { title: "kNN, class token", of: probed("cls", "knn", 100) },
  { title: "kNN, mean of patches", of: probed("mean", "knn", 100) },
  { title: "linear, class token", of: probed("cls", "linear", 100) },
  { title: "linear, mean of patches", of: probed("mean", "linear", 100) },
  {
    title: "fine-tuned",
    of: ({ report }) => 100 * (report.stages.at(-1)?.scores["accuracy top1"] ?? Number.NaN),
  },
  { title: "effective rank, class token", of: probed("cls", "rank", 1) },
  { title: "effective rank, mean of patches", of: probed("mean", "rank", 1) },
  { title: "attention diversity, %", of: diversity },
];

/** Mean, and of several half the distance between the largest and the smallest. */
const spread = (numbers: readonly number[]): string => {
  const half = (Math.max(...numbers) - Math.min(...numbers)) / 2;
  return `${meanOf(numbers).toFixed(1)}${numbers.length > 1 ? ` ± ${half.toFixed(1)}` : ""}`;
};

/** A row for each method; `runs` by seed and then by method. */
function table(all: readonly Planned[], runs: readonly (readonly Run[])[]): string {
  const head = ["method", "steps", ...columns.map(({ title }) => title)];
  const rows = all.map(({ method, steps }, i) => [
    method.title,
    method.name === "untrained" ? "0" : steps.join(" + "),
    ...columns.map(({ of }) => spread(runs.map((own) => of(own[i] as Run)))),
  ]);
  return [head, head.map(() => "---"), ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

/** Writes what the seeds so far say. */
function writeResults(all: readonly Planned[], seeds: readonly number[], runs: readonly (readonly Run[])[]): string {
  const page =
    `${options.steps} steps of ${batch} images for MAE, and as many as cost the same matrix FLOPs for the others; ` +
    `${options.finetune} steps of fine-tuning follow. Seeds ${seeds.join(", ")}.\n\n${table(all, runs)}\n`;
  const results = all.map(({ method, steps }, i) => ({
    method: method.name,
    steps,
    ...Object.fromEntries(columns.map(({ title, of }) => [title, runs.map((own) => of(own[i] as Run))])),
  }));
  writeFileSync(join(options.out, "methods.json"), `${JSON.stringify({ seeds, batch, results }, null, 1)}\n`);
  writeFileSync(join(options.out, "methods.md"), page);
  return page;
}

function main(): void {
  if (options.help) {
    process.stdout.write(help);
    return;
  }
  const wanted = options.only?.split(",") ?? methods.map(({ name }) => name);
  const unknown = wanted.filter((name) => !methods.some((method) => method.name === name));
  if (unknown.length > 0) throw new Error(`no method is named ${unknown.join(" or ")}\n${help}`);
  const seeds = options.seeds.split(",").map(Number);
  const folder = join(options.out, `${options.steps}-${options.finetune}`);
  mkdirSync(folder, { recursive: true });
  const spec = join(folder, "methods.mae");
  const written = writeSpec(spec, folder, batch * Number(options.steps), Number(options.finetune));
  const all = written.filter(({ method }) => wanted.includes(method.name));
  const runs: (readonly Run[])[] = [];
  let page = "";
  for (const seed of seeds) {
    runs.push(all.map((one) => runOf(one, spec, seed, folder)));
    page = writeResults(all, seeds.slice(0, runs.length), runs);
  }
  process.stdout.write(page);
}

main();

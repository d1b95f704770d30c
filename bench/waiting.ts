/**
 * `npm run bench -- --waiting`: what preparing a batch of each toy costs beside a step of its training, and how long the run waits for
 * its data. Makes the data that are not there yet.
 */

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { registry } from "../blocks/index.js";
import { assemble, programOf } from "../compiler/assemble/assemble.js";
import { analyze, arraysOf, trainingOf } from "../compiler/index.js";
import { invariant } from "../graph/index.js";
import { trainingBatches } from "../runtime/data/batches.js";
import { openData } from "../runtime/index.js";

/** Steps of a run: the waiting that it tells at its end is that of the last fifty, without what it begins with. */
const steps = 80;
/** Batches that are prepared in one thread: the first few are slow, since nothing is compiled yet. */
const [warming, measured] = [4, 8];

/** A toy of each medium and way of preparing, by the name of its example. */
export const waitingToys = [
  ...["digits", "digits-finetune", "digits-simclr", "digits-moco-v3", "digits-dino", "emoji", "emoji-segmentation"],
  ...["digits-video-mae", "digits-mae-st", "digits-uvad"],
  ...["sounds-audio-mae", "machines-audio-mae", "digits-cav-mae", "heartbeats-mtae", "brain-waves-mv-sstma"],
  ...["scans-selfmed-mae", "scans-organs", "shapes-point-mae"],
] as const;

/** The script that makes the data of an example, where it names one. */
function makeData(file: string): void {
  const text = readFileSync(file, "utf8");
  const script = /examples\/data\/[a-z-]+\.mjs/.exec(text)?.[0];
  const folder = /"(data\/[a-z-]+)/.exec(text)?.[1];
  if (script !== undefined && folder !== undefined && !existsSync(folder)) {
    execFileSync(process.execPath, [script], { stdio: "ignore" });
  }
}

interface Preparing {
  /** The first of the file. */
  readonly recipe: string;
  readonly batch: number;
  /** Milliseconds of the processor for a batch, all threads together. */
  readonly processor: number;
}

/** Prepares batches as training does, without a worker. */
export async function prepare(file: string): Promise<Preparing> {
  const readText = (path: string) => readFileSync(path, "utf8");
  const { models, recipes } = analyze({ path: file, text: readText(file) }, { readText }, registry);
  const recipe = [...recipes.values()].find(({ span }) => span.source.path === file);
  const model = recipe && models.get(recipe.model);
  invariant(recipe && model, `${file} has a recipe and its model`);
  const [program, training] = [programOf(assemble(model)), trainingOf(recipe)];
  const batches = await trainingBatches({
    index: await openData(training.data, "train", process.cwd(), { arrays: arraysOf(model) }),
    ...{ augment: training.augment, batch: training.batch, seed: training.seed },
    arrays: program.arrays,
    ...(program.views ? { streams: program.views } : {}),
    fields: program.fields ?? {},
    ...{ root: process.cwd(), workers: 0, start: 0, note: () => undefined },
  });
  for (let i = 0; i < warming; i++) await batches.next();
  const before = process.cpuUsage();
  for (let i = 0; i < measured; i++) await batches.next();
  const { user, system } = process.cpuUsage(before);
  await batches.close();
  return { recipe: recipe.name, batch: training.batch, processor: (user + system) / 1000 / measured };
}

interface StepLine {
  readonly kind: string;
  readonly images_per_second: number;
  readonly waiting: number;
}

/** The last step that a run tells of. */
function train(file: string, recipe: string): StepLine {
  const folder = mkdtempSync(join(tmpdir(), "maelang-waiting-"));
  try {
    const how = ["--steps", String(steps), "--out", folder, "--json", "--force"];
    const args = ["dist/cli.js", "train", file, recipe, ...how];
    const told = execFileSync(process.execPath, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    const lines = told.split("\n").filter((line) => line.startsWith("{"));
    const last = lines.map((line) => JSON.parse(line) as StepLine).findLast(({ kind }) => kind === "step");
    invariant(last, `a run of ${file} tells of its steps`);
    return last;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A Markdown table. */
export async function waitingTable(toys: readonly string[], tell: (text: string) => void): Promise<string> {
  const rows: string[] = [];
  for (const toy of toys) {
    const file = `examples/${toy}.mae`;
    makeData(file);
    const { recipe, batch, processor } = await prepare(file);
    const { images_per_second: pace, waiting } = train(file, recipe);
    const step = (1000 * batch) / pace;
    const cells = [toy, String(batch), processor.toFixed(1), step.toFixed(0), `${(100 * waiting).toFixed(1)} %`];
    rows.push(`| ${cells.join(" | ")} |\n`);
    tell(cells.join(", "));
  }
  return `| toy | batch | preparing a batch, processor ms | a step, ms | waiting |\n| --- | --- | --- | --- | --- |\n${rows.join("")}`;
}

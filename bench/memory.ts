/**
 * `npm run bench -- --memory`: the peak of `mae train`, as its process ends with it, beside what `mae plan` expects. What is measured here
 * fits the numbers of `cli/machine/process-memory.ts` and `runtime/data/memory.ts`.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { randomStream } from "../graph/index.js";
import { writePng } from "../runtime/index.js";
import { type Size, sizes, textOf } from "./sizes.js";

const command = resolve("dist/cli.js");

/** Steps: the second reuses what the first has left. TensorFlow.js takes minutes for one of a large model. */
const backends = { onnx: 2, wasm: 1 } as const;
export type MemoryBackend = keyof typeof backends;

/** As small as the first example. */
const digits: Size = {
  name: "digits",
  batch: 128,
  image: 28,
  patch: 7,
  encoder: { depth: 4, width: 64, heads: 4 },
  decoder: { depth: 2, width: 48, heads: 4 },
};

const vitS16: Size = {
  name: "vit-s16",
  batch: 8,
  image: 224,
  patch: 16,
  encoder: { depth: 12, width: 384, heads: 6 },
  decoder: { depth: 4, width: 256, heads: 8 },
};

export const memorySizes: readonly Size[] = [digits, ...sizes.slice(0, 3), vitS16, ...sizes.slice(3)];

/** Writes the most memory that the process had, in bytes, when it ends. */
const meter = `
import { writeFileSync } from "node:fs";
import { isMainThread } from "node:worker_threads";
if (isMainThread) process.on("exit", () => writeFileSync(process.env.PEAK, String(1024 * process.resourceUsage().maxRSS)));
`;

const recipeOf = (size: Size, steps: number): string => `
recipe Train for Bench {
  data      folder(path: "images")
  augment   normalize(imagenet)
  batch     ${size.batch}
  steps     ${steps}
  optimizer adamw(lr: 1e-4, betas: (0.9, 0.95), weight_decay: 0.05)
  schedule  constant
  seed      0
}
`;

async function writeImages(folder: string, { batch, image }: Size): Promise<void> {
  const random = randomStream(1, "shuffle");
  for (let i = 0; i < batch; i++) {
    const pixels = Uint8Array.from({ length: image * image * 3 }, () => Math.floor(256 * random.uniform()));
    await writePng(join(folder, "images", `${i}.png`), { width: image, height: image, pixels });
  }
}

interface Peak {
  readonly planned: number;
  /** null: the training did not come to its end. */
  readonly measured: number | null;
}

async function peakOf(size: Size, backend: MemoryBackend): Promise<Peak> {
  const folder = mkdtempSync(join(tmpdir(), "maelang-memory-"));
  try {
    await writeImages(folder, size);
    writeFileSync(join(folder, "bench.mae"), textOf(size) + recipeOf(size, backends[backend]));
    writeFileSync(join(folder, "meter.mjs"), meter);
    const peak = join(folder, "peak.txt");
    const mae = (args: readonly string[], flags: readonly string[] = []): string =>
      execFileSync(process.execPath, [...flags, command, ...args, "--backend", backend], {
        cwd: folder,
        env: { ...process.env, PEAK: peak },
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"],
        maxBuffer: 2 ** 28,
      });
    const plan = JSON.parse(mae(["plan", "bench.mae", "--json"])) as { readonly memory: { readonly total: number } };
    const planned = plan.memory.total;
    try {
      mae(["train", "bench.mae", "--json"], ["--import", pathToFileURL(join(folder, "meter.mjs")).href]);
    } catch {
      return { planned, measured: null };
    }
    return { planned, measured: Number(readFileSync(peak, "utf8")) };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Peaks as a Markdown table, in MB. */
export async function memoryTable(
  chosen: readonly Size[],
  on: readonly MemoryBackend[],
  tell: (text: string) => void,
): Promise<string> {
  const rows: string[] = [];
  for (const backend of on) {
    for (const size of chosen) {
      const { planned, measured } = await peakOf(size, backend);
      const found = measured === null ? ["fails", ""] : [mega(measured), (planned / measured).toFixed(2)];
      const cells = [size.name, backend, mega(planned), ...found];
      rows.push(`| ${cells.join(" | ")} |\n`);
      tell(cells.join(", "));
    }
  }
  return `| size | backend | planned, MB | measured, MB | planned / measured |\n| --- | --- | --- | --- | --- |\n${rows.join("")}`;
}

const mega = (bytes: number): string => (bytes / 1e6).toFixed(0);

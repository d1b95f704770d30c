/**
 * Clips, recordings and signals through the command: from files as people have them, trained, gone on with bit for bit, shown, and in
 * words of their medium.
 */

import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { beforeAll, expect, test } from "vitest";
import { readCheckpoint } from "../../runtime/index.js";
import { differing } from "../support/runs.js";
import { wav } from "../support/wav.js";
import { folder, jsonLines, mae } from "./mae.js";

const model = (name: string, lines: string): string => `model ${name} {
${lines}
  encoder   vit(depth: 1, width: 16, heads: 2)
  decoder   vit(depth: 1, width: 8, heads: 2)
  target    pixels(normalize: patch)
  loss      mse(on: hidden)
}

recipe Train${name} for ${name} {
  data      folder("${name}")
  batch     4
  steps     4
  optimizer adamw(lr: 1e-3)
  schedule  constant
}
`;

const spec = `edition 2026

${model(
  "Clips",
  `  input     video(frames: 4, size: 8x8, channels: 1)
  tokens    patch(size: 2x4x4)
  mask      random(ratio: 75%, along: [row, column])
  positions learned`,
)}
${model(
  "Sounds",
  `  input     spectrogram(frames: 8, mels: 8, rate: 8 kHz)
  tokens    patch(size: 4x4)
  mask      random(ratio: 75%)`,
)}
${model(
  "Signals",
  `  input     signal(leads: 2, samples: 16)
  tokens    patch(size: 1x4, norm: around)
  mask      random(ratio: 75%)`,
)}
${model(
  "Films",
  `  input     video(frames: 3, size: 16x16, channels: 3)
  tokens    patch(size: 1x8x8)
  mask      random(ratio: 75%)
  positions learned`,
).replace('folder("Films")', 'folder("Films", test: "Films", anomalies: "odd.csv")\n  augment   resize')}`;

const samples = 6;
const videos = join(import.meta.dirname, "../reference/videos");
const films = ["moving.gif", "moving.mp4", "moving.webm", "odd.mkv", "odd.mp4"];
let cwd: string;

beforeAll(async () => {
  const files: Record<string, string | Uint8Array> = { "media.mae": spec };
  for (let i = 0; i < samples; i++) {
    const values = Float64Array.from({ length: 900 }, (_, t) => 0.5 * Math.sin(t * (0.1 + 0.1 * i)));
    files[`Sounds/${i}.wav`] = wav(values, { rate: 8000 });
    const lines = Array.from({ length: 16 }, (_, t) => `${values[t * 5]},${values[t * 7 + 1]}`);
    files[`Signals/${i}.csv`] = `I,II\n${lines.join("\n")}\n`;
    // More frames than a clip has: where it begins is drawn anew each time.
    for (let frame = 0; frame < 7; frame++) {
      const pixels = Buffer.from(Array.from({ length: 64 }, (_, at) => (at * (i + 2) + 30 * frame) % 256));
      const raw = { width: 8, height: 8, channels: 1 } as const;
      files[`Clips/${i}/${frame}.png`] = await sharp(pixels, { raw }).toColourspace("b-w").png().toBuffer();
    }
  }
  // A square that goes on by two pixels each frame, and once jumps back.
  for (const name of films) files[`Films/${name}`] = readFileSync(join(videos, name));
  files["odd.csv"] = `path,first,last\n${films.map((name) => `${name},21,21\n`).join("")}`;
  cwd = folder(files);
});

const run = (...args: readonly string[]) => mae(args, { cwd, env: { MAE_CACHE: cwd } });

const trained = (name: string, backend: string, out: string, ...more: readonly string[]) =>
  run("train", "media.mae", `Train${name}`, "--workers", "0", "--backend", backend, "--out", out, ...more);

test.each([
  ["Clips", "clip", "mean colour", "onnx"],
  ["Sounds", "recording", "mean value", "wasm"],
  ["Signals", "signal", "mean value", "onnx"],
])("%s are trained, shown, and called %ss", async (name, sample, mean, backend) => {
  const { code, stderr } = await trained(name, backend, join("runs", name), "--checkpoint-every", "2 steps");
  expect(code, stderr).toBe(0);
  expect(stderr).toContain(`the hidden patches of ${samples} ${sample}s`);
  expect(stderr).toContain(`by each patch's true ${mean}`);
  expect(stderr).toMatch(new RegExp(` ${sample}s/s `));
});

test("a run of clips goes on bit for bit, each beginning where it would have begun", async () => {
  // As it was when two steps were done.
  mkdirSync(join(cwd, "runs/cut"));
  for (const file of ["run.json", "spec.mae", "log.jsonl", "checkpoint-2.safetensors"]) {
    copyFileSync(join(cwd, "runs/Clips", file), join(cwd, "runs/cut", file));
  }
  const rest = await trained("Clips", "onnx", "runs/cut", "--resume", "--json");
  expect(rest.code, rest.stderr).toBe(0);
  expect(jsonLines(rest.stdout).flatMap(({ kind, step }) => (kind === "step" ? [step] : []))).toEqual([3, 4]);
  const [whole, cut] = await Promise.all(
    ["Clips", "cut"].map((run) => readCheckpoint(join(cwd, "runs", run, "checkpoint-4.safetensors"))),
  );
  expect(differing(cut?.state ?? {}, whole?.state ?? {})).toEqual([]);
  const pictures = ["Clips", "cut"].map((run) => readFileSync(join(cwd, "runs", run, "reconstruction.png")));
  expect(pictures[1]).toEqual(pictures[0]);
});

test("frames of video files are scored each in its place, whatever packs them and however long they are shown", async () => {
  const { code, stderr } = await trained("Films", "onnx", "runs/Films");
  expect(code, stderr).toBe(0);
  const judged = await run("eval", "runs/Films", "--with", "anomaly(every: 1)", "--scores", "scores", "--json");
  expect(judged.code, judged.stderr).toBe(0);
  const { rows } = JSON.parse(judged.stdout) as { rows: { source: string; scores: Record<string, number> }[] };
  expect(rows.map(({ source }) => source)).toEqual(["encoder", "untrained", "plain"]);
  // Whoever compares subsequent frames finds the jump in each of them.
  expect(rows[2]?.scores).toMatchObject({ auc: 1, macro_auc: 1 });
  const [, ...lines] = readFileSync(join(cwd, "scores/scores.csv"), "utf8").trim().split("\n");
  const found = lines.map((line) => line.split(","));
  expect(found.map(([name, frame, , odd]) => [name, Number(frame), odd])).toEqual(
    films.flatMap((name) => Array.from({ length: 24 }, (_, i) => [name, i + 1, i === 20 ? "1" : "0"])),
  );
  expect(found.every(([, , score]) => Number(score) > 0)).toBe(true);
});

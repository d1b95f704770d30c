/** Regions carried along frames: shares and labels are those of PyTorch, J and F those of NumPy (`test/reference/propagation.py`), and files are read as they are meant. */

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { expect, test } from "vitest";
import {
  areaShare,
  Carrier,
  contourShare,
  decay,
  labelsAt,
  type Propagation,
  type Sample,
} from "../../blocks/index.js";
import type { Canvas } from "../../runtime/data/image/png.js";
import { evaluate } from "../../runtime/index.js";
import { bound, inMemory, recipe } from "../support/data.js";
import { programOfText } from "../support/model.js";
import { surroundings, trained } from "../support/runs.js";

const recorded = JSON.parse(readFileSync(join(import.meta.dirname, "../reference/propagation.json"), "utf8")) as {
  readonly grid: readonly [number, number];
  readonly size: readonly [number, number];
  readonly kinds: number;
  readonly features: readonly number[];
  readonly first: readonly number[];
  readonly cases: readonly { how: Propagation; shares: readonly number[]; maps: readonly (readonly number[])[] }[];
  readonly shape: readonly [number, number];
  readonly pairs: readonly { said: readonly number[]; there: readonly number[]; j: number; f: number }[];
  readonly decays: readonly { values: readonly number[]; decay: number }[];
};
const [rows, columns] = recorded.grid;
const grid = { rows, columns };
const size = { rows: recorded.size[0], columns: recorded.size[1] };

test.each(recorded.cases)("labels are carried as by PyTorch: $how", ({ how, shares, maps }) => {
  const frames = maps.length + 1;
  const length = recorded.features.length / frames;
  const features = (t: number) => Float32Array.from(recorded.features.slice(t * length, (t + 1) * length));
  const carrier = new Carrier(features(0), Int32Array.from(recorded.first), recorded.kinds, grid, how);
  const each = shares.length / maps.length;
  for (const [t, map] of maps.entries()) {
    const own = carrier.next(features(t + 1));
    for (const [i, share] of own.entries())
      expect(Math.abs(share - (shares[t * each + i] as number))).toBeLessThan(1e-5);
    const labels = labelsAt(own, recorded.kinds, grid, size);
    const same = labels.filter((label, at) => label === map[at]).length;
    // Where two labels have nearly the same share, rounding decides.
    expect(same / labels.length).toBeGreaterThan(0.995);
  }
});

test("regions, contours and their decay are judged as by NumPy and SciPy", () => {
  const [height, width] = recorded.shape;
  const region = (borders: readonly number[]) => {
    const flags = new Uint8Array(height * width);
    for (let i = 0; i < borders.length; i += 2) flags.fill(1, borders[i], borders[i + 1]);
    return flags;
  };
  for (const { said, there, j, f } of recorded.pairs) {
    expect(areaShare(region(said), region(there))).toBeCloseTo(j, 12);
    expect(contourShare(region(said), region(there), { height, width })).toBeCloseTo(f, 12);
  }
  for (const one of recorded.decays) expect(decay(one.values)).toBeCloseTo(one.decay, 12);
});

const here = surroundings("onnx");
const program = programOfText(`edition 2026
model Small {
  input   image(size: 16x16, channels: 3)
  tokens  patch(size: 2x2)
  mask    random(ratio: 50%)
  encoder vit(depth: 1, width: 24, heads: 2)
  decoder vit(depth: 1, width: 24, heads: 2)
  target  pixels
  loss    mse(on: hidden)
}
`);

/** A red square that moves over blue, in frames of twice the model's size, and maps of all of them but one. */
async function sequence(root: string, name: string): Promise<void> {
  const side = 32;
  for (const kind of ["frames", "maps"]) mkdirSync(join(root, kind, name), { recursive: true });
  for (let t = 0; t < 6; t++) {
    const inside = Array.from({ length: side * side }, (_, at) => {
      const [y, x] = [Math.floor(at / side), at % side];
      return y >= 8 && y < 24 && x >= 4 + 2 * t && x < 16 + 2 * t ? 1 : 0;
    });
    const pixels = Uint8Array.from(inside.flatMap((one) => (one === 1 ? [250, 20, 20] : [20, 20, 200])));
    const save = (numbers: Uint8Array, channels: 1 | 3, kind: string) =>
      sharp(numbers, { raw: { width: side, height: side, channels } })
        .toColourspace(channels === 1 ? "b-w" : "srgb")
        .png()
        .toFile(join(root, kind, name, `${t}.png`));
    await save(pixels, 3, "frames");
    if (t !== 3) await save(Uint8Array.from(inside), 1, "maps");
  }
}

test("files of frames and maps are read, carried, judged and drawn, and what is no sequence is told", async () => {
  const root = join(here.folder, "sequences");
  await sequence(root, "a");
  await sequence(root, "b");
  const shape = { height: 16, width: 16, channels: 3 } as const;
  const grey = Array.from(
    { length: 8 },
    (_, i): Sample => ({
      ...{ kind: "pixels", shape, label: null },
      pixels: new Uint8Array(16 * 16 * 3).fill(90 + i),
    }),
  );
  const data = inMemory(grey, []);
  const training = recipe(data, { steps: 1, schedule: bound("schedule", "constant") });
  const { state } = await trained(program, training, { directory: join(here.folder, "run"), executor: here.executor });
  const drawn = new Map<string, Canvas>();
  const judged = (values: Readonly<Record<string, unknown>>) =>
    evaluate({ program, weights: state as never }, [bound("probe", "label_propagation", values)], {
      ...{ executor: here.executor, batch: 8, sources: ["encoder"], selections: [], seed: 0 },
      data: { train: nothing, test: nothing, classes: [], sequences: { root, colours: null } },
      draw: async (name, canvas) => {
        drawn.set(name, canvas);
      },
    });
  const { rows: found, samples } = await judged({ frames: "frames", maps: "maps" });
  expect(samples).toEqual({ train: 0, test: 2 });
  expect(found[0]?.scores.j).toBeGreaterThan(0.75);
  expect(found[0]?.scores.j_and_f).toBeCloseTo(((found[0]?.scores.j ?? 0) + (found[0]?.scores.f ?? 0)) / 2, 12);
  expect([...drawn.keys()]).toEqual(["a", "b"]);
  await expect(judged({ frames: "frames/a", maps: "maps" })).rejects.toThrow("is an image, and sequences are folders");
  await expect(judged({ frames: "frames", maps: "frames" })).rejects.toThrow("colours");
  await expect(judged({ frames: "nowhere", maps: "maps" })).rejects.toThrow("nowhere");
  mkdirSync(join(root, "frames", "c"));
  mkdirSync(join(root, "maps", "c"));
  writeFileSync(join(root, "maps", "c", "0.png"), "no image");
  await expect(judged({ frames: "frames", maps: "maps" })).rejects.toThrow("has 0 frames, and the first has no map");
});

async function* nothing(): AsyncGenerator<never> {}

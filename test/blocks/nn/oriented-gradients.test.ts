/** Histograms of oriented gradients of photographs: of whole numbers that no rounding touches, and what every backend makes of them. */

import sharp from "sharp";
import { expect, test } from "vitest";
import { orientedGradients } from "../../../blocks/index.js";
import { createBuilder, evaluate, type Graph } from "../../../graph/index.js";
import { openExecutor } from "../../../runtime/index.js";
import { backendsHere } from "../../support/backends.js";

const side = 32;
const cell = 8;

/** A cut of the photograph at its own size: neighbours are equal where it is evenly lit. */
const photograph = async (name: string): Promise<Buffer> =>
  sharp(`test/reference/photographs/${name}.png`)
    .extract({ left: 8, top: 8, width: side, height: side })
    .removeAlpha()
    .raw()
    .toBuffer();

function graphOf(bins: number): Graph {
  const g = createBuilder({ batch: 1 });
  const image = g.input("image", ["B", side, side, 3]);
  const axis = { count: 2, size: 16 } as const;
  const grid = [axis, axis] as const;
  const histograms = orientedGradients(g, image, grid, { bins, cell: [cell, cell], values: 12 * bins });
  return g.finish({ outputs: { histograms } });
}

/** The same of bytes, whose slopes are whole numbers: directions by the arc tangent, votes one by one. */
function exact(bytes: Buffer, bins: number): Float64Array {
  const at = (y: number, x: number, c: number): number => {
    const mirrored = (i: number): number => (i < 0 ? -i : i >= side ? 2 * side - 2 - i : i);
    return bytes[(mirrored(y) * side + mirrored(x)) * 3 + c] as number;
  };
  const cells = side / cell;
  const votes = new Float64Array(cells * cells * 3 * bins);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      for (let c = 0; c < 3; c++) {
        const across = [-1, 0, 1].reduce(
          (sum, d) => sum + (2 - Math.abs(d)) * (at(y + d, x - 1, c) - at(y + d, x + 1, c)),
          0,
        );
        const down = [-1, 0, 1].reduce(
          (sum, d) => sum + (2 - Math.abs(d)) * (at(y - 1, x + d, c) - at(y + 1, x + d, c)),
          0,
        );
        // Whole slopes stand exactly at the border of two bins, or clearly beside it.
        const bin = Math.floor((Math.atan2(across, down) / Math.PI) * bins + 1e-9);
        const place = ((Math.floor(y / cell) * cells + Math.floor(x / cell)) * 3 + c) * bins;
        votes[place + ((bin + bins) % bins)] =
          (votes[place + ((bin + bins) % bins)] as number) + Math.hypot(across, down);
      }
    }
  }
  for (let i = 0; i < votes.length; i += bins) {
    const histogram = votes.subarray(i, i + bins);
    const length = Math.hypot(...histogram);
    if (length > 0) histogram.set(histogram.map((vote) => vote / length));
  }
  return inPatches(votes, cells, bins);
}

/** [cell row, cell column, channel, bin] -> [patch, channel, bin, cell row, cell column] */
function inPatches(votes: Float64Array, cells: number, bins: number): Float64Array {
  const result: number[] = [];
  for (let patch = 0; patch < (cells / 2) ** 2; patch++) {
    const [row, column] = [2 * Math.floor(patch / (cells / 2)), 2 * (patch % (cells / 2))];
    for (let value = 0; value < 3 * bins; value++) {
      for (const [down, across] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        result.push(votes[((row + down) * cells + column + across) * 3 * bins + value] as number);
      }
    }
  }
  return Float64Array.from(result);
}

const largestDifference = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Array.from(a).reduce((largest, value, i) => Math.max(largest, Math.abs(value - (b[i] as number))), 0);

const [mean, std] = [
  [0.485, 0.456, 0.406],
  [0.229, 0.224, 0.225],
];
const normalised = (byte: number, i: number): number => (byte / 255 - (mean?.[i % 3] ?? 0)) / (std?.[i % 3] ?? 1);

test.each([
  ["chelsea", 9],
  ["coffee", 12],
])("of %s with %i bins are those of whole numbers, on every backend", async (name, bins) => {
  const bytes = await photograph(name);
  const expected = exact(bytes, bins);
  const graph = graphOf(bins);
  const images = [Float32Array.from(bytes, (byte) => byte / 255), Float32Array.from(bytes, normalised)];
  for (const image of images) {
    expect(largestDifference(evaluate(graph, { image }, {}).outputs.histograms ?? [], expected)).toBeLessThan(1e-5);
  }
  for (const backend of backendsHere) {
    const executor = await openExecutor(backend);
    const session = await executor.open([], {});
    const run = await session.load(graph);
    for (const image of images) {
      expect(largestDifference((await run({ image })).histograms ?? [], expected), backend).toBeLessThan(1e-5);
    }
    await session.close();
    await executor.close();
  }
});

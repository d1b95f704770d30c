/**
 * The decoder that attends within windows: what a place becomes hangs on its window alone, in one to three axes, windows that are moved join
 * what others part, and what has no neighbours is refused. That it computes what PyTorch does is shown in methods.test.ts.
 */

import { describe, expect, test } from "vitest";
import { initialize, namedParameters, weightsOf } from "../../blocks/index.js";
import { cosineWindowBlockParameters, cosineWindowBlocks, repeat } from "../../blocks/nn/index.js";
import { createBuilder, evaluate, randomStream, sizeOf, type Tensor } from "../../graph/index.js";
import { analyzed, programOfText } from "../support/model.js";

const width = 4;

/** Which places a change at the first place of a map reaches. */
function reached(counts: readonly number[], depth: number, moved?: readonly boolean[]): readonly number[] {
  const tree = {
    blocks: repeat(depth, cosineWindowBlockParameters({ width, hidden: 8, heads: 2, axes: counts.length })),
  };
  const g = createBuilder({ batch: 1 });
  const { blocks } = weightsOf(g, tree);
  const x = g.input("x", ["B", ...counts, width]) as Tensor<["B", ...number[], 4]>;
  const y = cosineWindowBlocks(g, x, blocks, { window: 2, ...(moved ? { moved } : {}) });
  const graph = g.finish({ outputs: { y } });
  const random = randomStream(3, "probe", 0);
  const state = Object.fromEntries([...namedParameters(tree)].map(([name, one]) => [name, initialize(one, random)]));
  const values = Float32Array.from({ length: sizeOf(counts) * width }, () => random.normal());
  const [before, after] = [values, values.map((value, i) => (i < width ? value + 1 : value))].map(
    (fed) => evaluate(graph, { x: fed }, state).outputs.y as Float32Array,
  );
  return Array.from({ length: sizeOf(counts) }, (_, i) => i).filter((place) =>
    Array.from({ length: width }, (_, k) => place * width + k).some((at) => before?.[at] !== after?.[at]),
  );
}

describe("a change reaches", () => {
  test.each<readonly [string, readonly number[], number, readonly boolean[] | undefined, readonly number[]]>([
    ["its window", [4, 4], 1, undefined, [0, 1, 4, 5]],
    ["along one axis", [6], 1, undefined, [0, 1]],
    ["along three", [2, 4, 2], 1, undefined, [0, 1, 2, 3, 8, 9, 10, 11]],
    ["what moved windows join", [6], 2, undefined, [0, 1, 2]],
    ["the first axis where they are moved along it", [4, 4], 2, [true, false], [0, 1, 4, 5, 8, 9]],
    ["no more where a map is no longer than a window", [2, 2], 2, undefined, [0, 1, 2, 3]],
  ])("%s", (_, counts, depth, moved, places) => {
    expect(reached(counts, depth, moved)).toEqual(places);
  });
});

const spec = (input: string, decoder: string, tokens = "patch(size: 8x8)"): string =>
  `edition 2026
model UnderTest {
  input   ${input}
  tokens  ${tokens}
  mask    random(ratio: 75%)
  encoder vit(depth: 1, width: 24, heads: 2)
  decoder window_vit(depth: 2, width: 12, heads: 2${decoder})
  target  pixels(normalize: none)
  loss    mse(on: hidden)
}
`;
const sound = "spectrogram(frames: 64, mels: 32)";

test.each([
  [sound, "", undefined],
  ["volume(size: 16x16x8, channels: 1)", ", shift: [depth]", "patch(size: 4x4x4)"],
  ["signal(leads: 12, samples: 240)", ", window: 5", "patch(size: 12x12)"],
  ["video(frames: 4, size: 32x32, channels: 1)", "", "patch(size: 2x8x8)"],
])("%s%s", (input, decoder, tokens) => {
  // The axes of the grid are those that the network of steps reads.
  const { parameters } = programOfText(spec(input, decoder, tokens));
  const [, network] =
    [...namedParameters(parameters)].find(([name]) => name.endsWith("0.attn.meta_mlp.fc1.weight")) ?? [];
  expect(network?.shape[1]).toBe((tokens ?? "8x8").split("x").length);
});

test.each([
  ["whole-windows", sound, ", window: 3", undefined, "windows that fit: 2 and 4"],
  ["axes-there", sound, ", shift: [row]", undefined, "they have time, frequency"],
  ["heads-divide-width", sound, ", heads: 5", undefined, "nearest numbers"],
  ["on-a-grid", "points(count: 64)", "", "groups(count: 8, neighbours: 8)", "use `vit`"],
])("%s is refused", (code, input, decoder, tokens, help) => {
  const written = spec(input, decoder.includes("heads") ? "" : decoder, tokens);
  const text = decoder.includes("heads") ? written.replace("width: 12, heads: 2", "width: 12, heads: 5") : written;
  const found = analyzed(text).diagnostics.find((one) => one.code === `decoder/window_vit/${code}`);
  expect(found?.help).toContain(help);
});

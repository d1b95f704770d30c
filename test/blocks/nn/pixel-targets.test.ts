/** Low-passed images and histograms of gradients, where the right answer is known without another implementation. */

import { describe, expect, test } from "vitest";
import { lowPass, lowPassed, orientedGradients } from "../../../blocks/index.js";
import { createBuilder, evaluate, randomStream } from "../../../graph/index.js";

type Image = { readonly height: number; readonly width: number; readonly channels: number };

const noise = ({ height, width, channels }: Image): Float32Array => {
  const random = randomStream(5, "probe", 0);
  return Float32Array.from({ length: height * width * channels }, () => random.uniform() - 0.5);
};

function filtered(image: Float32Array, { height, width, channels }: Image, radius: number): ArrayLike<number> {
  const g = createBuilder({ batch: 1 });
  const smooth = lowPass(g, g.input("image", ["B", height, width, channels]), { radius });
  return evaluate(g.finish({ outputs: { smooth } }), { image }, {}).outputs.smooth as ArrayLike<number>;
}

const largest = (a: ArrayLike<number>, b: ArrayLike<number>): number =>
  Math.max(...Array.from(a, (value, i) => Math.abs(value - (b[i] as number))));

describe("the low-pass filter", () => {
  const sizes: readonly Image[] = [
    { height: 6, width: 8, channels: 2 },
    { height: 7, width: 5, channels: 1 },
    { height: 1, width: 9, channels: 1 },
  ];

  test.each(sizes)("keeps everything with a radius beyond the highest frequency: $height x $width", (size) => {
    expect(largest(filtered(noise(size), size, 20), noise(size))).toBeLessThan(1e-5);
  });

  test.each(sizes)("keeps the mean alone with a radius of 0: $height x $width", (size) => {
    const image = noise(size);
    const pixels = size.height * size.width;
    const means = Array.from({ length: size.channels }, (_, c) =>
      image.reduce((sum, value, i) => (i % size.channels === c ? sum + value / pixels : sum), 0),
    );
    const expected = Array.from(image, (_, i) => means[i % size.channels] as number);
    expect(largest(filtered(image, size, 0), expected)).toBeLessThan(1e-6);
  });

  test.each(sizes)("is the same on the host, and filtering twice is filtering once: $height x $width", (size) => {
    const once = Float32Array.from(filtered(noise(size), size, 2.3));
    expect(largest(lowPassed(noise(size), size, 2.3), once)).toBeLessThan(1e-6);
    expect(largest(filtered(once, size, 2.3), once)).toBeLessThan(1e-6);
  });
});

describe("histograms of gradients", () => {
  /** The histogram of the one inner cell of 4x4 in an image of 12x12. */
  function histogram(pixel: (y: number, x: number) => number): readonly number[] {
    const image = Float32Array.from({ length: 144 }, (_, i) => pixel(Math.floor(i / 12), i % 12));
    const g = createBuilder({ batch: 1 });
    const axis = { count: 3, size: 4 } as const;
    const grid = [axis, axis] as const;
    const o = { bins: 4, cell: [4, 4], values: 4 } as const;
    const all = orientedGradients(g, g.input("image", ["B", 12, 12, 1]), grid, o);
    const { all: values } = evaluate(g.finish({ outputs: { all } }), { image }, {}).outputs;
    return Array.from(values as ArrayLike<number>)
      .slice(16, 20)
      .map((value) => Math.round(value * 1e6) / 1e6);
  }

  test("put a ramp into the bin of its direction, whichever way it rises", () => {
    for (const sign of [1, -1]) {
      expect(histogram((y) => sign * y)).toEqual([1, 0, 0, 0]);
      expect(histogram((_, x) => sign * x)).toEqual([0, 0, 1, 0]);
      expect(histogram((y, x) => sign * (2 * x + y))).toEqual([0, 1, 0, 0]);
      expect(histogram((y, x) => sign * (2 * x - y))).toEqual([0, 0, 1, 0]);
      expect(histogram((y, x) => sign * (x - 2 * y))).toEqual([0, 0, 0, 1]);
    }
  });

  test("are zero where nothing changes", () => {
    expect(histogram(() => 3)).toEqual([0, 0, 0, 0]);
  });
});

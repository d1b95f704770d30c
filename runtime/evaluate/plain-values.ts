/** What a probe is given without any encoder: the values of samples as the model sees them, averaged where there are many; of texts their ids, of tables their columns. */

import {
  type ArrayShape,
  type Axis,
  arrayLength,
  divisors,
  type IdsShape,
  isPicture,
  liesInSpace,
  type ModelProgram,
  pointsIn,
  type TableShape,
  tableChannels,
  textChannels,
} from "../../blocks/index.js";
import { sizeOf } from "../../graph/index.js";
import { checkedValues, type FeatureReader } from "./features.js";

/** Vectors of pixels get no longer than this where the array can be divided: exact solutions cost the cube of it. */
const mostPixelValues = 1024;

/**
 * Sides of the boxes of values that are averaged: the smallest that are enough. Those of pictures are squares, so that their side is a
 * common divisor; along other axes each has its own.
 */
export function pixelBlock(array: ArrayShape): readonly number[] {
  const sizes = array.axes.map(({ size }) => size);
  const ways = sizes.map(divisors);
  const isSquare = isPicture(array);
  let boxes = sizes.map(() => 1);
  for (let side = 1; side <= (isSquare ? Math.min : Math.max)(...sizes); side++) {
    if (isSquare && sizes.some((size) => size % side !== 0)) continue;
    boxes = ways.map((all) => all.findLast((divisor) => divisor <= side) as number);
    if (sizeOf(sizes.map((size, i) => size / (boxes[i] as number))) * array.channels <= mostPixelValues) break;
  }
  return boxes;
}

/** The values themselves as the model sees them, means of boxes where there are many; those of several arrays one after the other. */
export function pixelReader({ arrays }: Pick<ModelProgram, "arrays">): FeatureReader {
  const readers = Object.entries(arrays).map(([name, shape]) => ({ name, ...boxMeans(shape) }));
  const size = readers.reduce((sum, reader) => sum + reader.size, 0);
  return {
    widths: [size],
    async read(given) {
      const { arrays: values, count } = given;
      const means = new Float32Array(count * size);
      let start = 0;
      for (const { name, size: own, addTo } of readers) {
        for (let sample = 0; sample < count; sample++) {
          addTo(means.subarray(sample * size + start), values[name] as Float32Array, sample);
        }
        start += own;
      }
      return [checkedValues(means, given, arrays)];
    },
    close: async () => {},
  };
}

/** The share of each id among the tokens of a text; where there are many, ids that leave the same rest share a place. */
function bagOfIds({ axes, channels }: ArrayShape, { vocabulary }: IdsShape): ReturnType<typeof boxMeans> {
  const [{ size: places } = { size: 0 }] = axes;
  const size = Math.min(vocabulary, mostPixelValues);
  return {
    size,
    addTo(vector, values, sample) {
      const at = (place: number, channel: keyof typeof textChannels): number =>
        values[(sample * places + place) * channels + textChannels[channel]] as number;
      const ids = Array.from({ length: places }, (_, place) => place).filter((place) => at(place, "word") >= 0);
      for (const place of ids) {
        const to = at(place, "id") % size;
        vector[to] = (vector[to] as number) + 1 / ids.length;
      }
    },
  };
}

/** Of a row its numbers, a 1 in the place of each category that it has, and a 1 for each column whose value is missing. */
function columnsApart({ channels }: ArrayShape, { columns }: TableShape): ReturnType<typeof boxMeans> {
  const widths = columns.map((column) => (column.kind === "number" ? 2 : column.categories.length + 1));
  const starts = widths.map((_, i) => widths.slice(0, i).reduce((sum, width) => sum + width, 0));
  return {
    size: widths.reduce((sum, width) => sum + width, 0),
    addTo(vector, values, sample) {
      for (const [i, column] of columns.entries()) {
        const at = (sample * columns.length + i) * channels;
        const [value, known] = [values[at + tableChannels.value], values[at + tableChannels.known]] as [number, number];
        const [start, width] = [starts[i] as number, widths[i] as number];
        if (known === 0) vector[start + width - 1] = 1;
        else if (column.kind === "number") vector[start] = value;
        else vector[start + value] = 1;
      }
    },
  };
}

/** Shares of points below which quantiles are taken. */
const shares = Array.from({ length: 17 }, (_, i) => i / 16);

/** Of points, whose order says nothing: quantiles of each coordinate, and of how far they are from their mean. */
function spreadOfPoints(shape: ArrayShape): ReturnType<typeof boxMeans> {
  const length = arrayLength(shape);
  return {
    size: 4 * shares.length,
    addTo(vector, values, sample) {
      const points = pointsIn(shape, values.subarray(sample * length, (sample + 1) * length));
      const axes = [0, 1, 2].map((c) => points.filter((_, at) => at % 3 === c));
      const middle = axes.map((axis) => axis.reduce((sum, value) => sum + value, 0) / axis.length);
      const far = Float32Array.from({ length: points.length / 3 }, (_, i) =>
        Math.hypot(...axes.map((axis, c) => (axis[i] as number) - (middle[c] as number))),
      );
      for (const [k, numbers] of [...axes, far].entries()) {
        const sorted = numbers.slice().sort();
        for (const [i, share] of shares.entries()) {
          vector[k * shares.length + i] = sorted[Math.round(share * (sorted.length - 1))] as number;
        }
      }
    },
  };
}

/** The means of the boxes of an array. `addTo`: adds those of a sample to the front of a vector. */
function boxMeans(shape: ArrayShape): {
  readonly size: number;
  readonly addTo: (vector: Float32Array, values: Float32Array, sample: number) => void;
} {
  if (shape.ids) return bagOfIds(shape, shape.ids);
  if (liesInSpace(shape)) return spreadOfPoints(shape);
  if (shape.table) return columnsApart(shape, shape.table);
  const { axes, channels } = shape;
  const boxes = pixelBlock(shape);
  const inBox = sizeOf(boxes);
  // Place in the vector of each value of an array.
  const places = Int32Array.from({ length: arrayLength(shape) }, (_, at) => {
    let [rest, place, stride] = [Math.floor(at / channels), at % channels, channels];
    for (let i = axes.length - 1; i >= 0; i--) {
      const [length, box] = [(axes[i] as Axis).size, boxes[i] as number];
      place += Math.floor((rest % length) / box) * stride;
      rest = Math.floor(rest / length);
      stride *= length / box;
    }
    return place;
  });
  return {
    size: arrayLength(shape) / inBox,
    addTo(vector, values, sample) {
      for (let at = 0; at < places.length; at++) {
        const to = places[at] as number;
        vector[to] = (vector[to] as number) + (values[sample * places.length + at] as number) / inBox;
      }
    },
  };
}

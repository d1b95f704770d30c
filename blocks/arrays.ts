/** Arrays: the numbers of one sample as they enter a model. Their axes have names, and their channels come last. */

import { invariant } from "../graph/index.js";

/** What masks, positions and messages call an axis. Closed: a medium is a choice among them. */
export const axisNames = ["row", "column", "time", "depth", "frequency", "lead"] as const;

export type AxisName = (typeof axisNames)[number];

export interface Axis {
  readonly name: AxisName;
  readonly size: number;
}

/** Numbers [...axes, channels], the last axis fastest. */
export interface ArrayShape {
  readonly axes: readonly Axis[];
  readonly channels: number;
}

/** Numbers of one sample. */
export const arrayLength = ({ axes, channels }: ArrayShape): number =>
  axes.reduce((product, { size }) => product * size, channels);

/** `224x224`: the sizes of the axes. */
export const sidesText = ({ axes }: ArrayShape): string => axes.map(({ size }) => size).join("x");

/** Pictures as files and screens have them. */
export interface ImageShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** Numbers of one image. */
export const imageLength = ({ height, width, channels }: ImageShape): number => height * width * channels;

export const arrayOfImage = ({ height, width, channels }: ImageShape): ArrayShape => ({
  axes: [
    { name: "row", size: height },
    { name: "column", size: width },
  ],
  channels,
});

/** Whether an array has rows and columns, and no other axes. */
export const isPicture = ({ axes: [row, column, another] }: Pick<ArrayShape, "axes">): boolean =>
  row?.name === "row" && column?.name === "column" && another === undefined;

/** The array as a picture; null: it is none. */
export function pictureOf(array: ArrayShape): ImageShape | null {
  const [row, column] = array.axes;
  return isPicture(array) && row && column ? { height: row.size, width: column.size, channels: array.channels } : null;
}

/** The picture that an array is, where that was checked. */
export function pictured(array: ArrayShape): ImageShape {
  const picture = pictureOf(array);
  invariant(picture, "the checker lets through only pictures here");
  return picture;
}

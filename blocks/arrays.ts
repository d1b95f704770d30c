/** Arrays: the numbers of one sample as they enter a model. Their axes have names, and their channels come last. */

import { invariant, sizeOf } from "../graph/index.js";

/** What masks, positions and messages call an axis. Closed: a medium is a choice among them. */
export const axisNames = [
  "row",
  "column",
  "time",
  "depth",
  "frequency",
  "lead",
  "place",
  "group",
  "point",
  "face",
] as const;

export type AxisName = (typeof axisNames)[number];

export interface Axis {
  readonly name: AxisName;
  readonly size: number;
}

/** Numbers [...axes, channels], the last axis fastest. */
export interface ArrayShape {
  readonly axes: readonly Axis[];
  readonly channels: number;
  /** How a spectrogram is made of sound; if absent, the array is none. */
  readonly sound?: SoundShape;
  /** Of a signal: samples a second; if absent, any. */
  readonly rate?: number;
  /** What the numbers of a text are; if absent, the array is none. */
  readonly ids?: IdsShape;
  /** What the columns of a table are; if absent, the array is none. */
  readonly table?: TableShape;
  /** Of points in space, whose channels are their coordinates: how many a sample has; if absent, the array has none. */
  readonly cloud?: CloudShape;
  /** Of a mesh, cut into patches of faces: how; if absent, the array is none. */
  readonly mesh?: MeshShape;
  /** Of a volume: millimetres from a voxel to the next, depth, row and column; if absent, any. */
  readonly spacing?: readonly [number, number, number];
  /** Of a frame of a video, two of which training sees: how far apart they are; if absent, samples are what the array says. */
  readonly gap?: FrameGap;
}

/** How far apart two frames of a video are, in frames: as drawn for each pair, both ends included. */
export interface FrameGap {
  readonly least: number;
  readonly most: number;
}

/**
 * Of a text the channels of a place are: the id of a token of a vocabulary; the number of its word in the text from 1, 0 of tokens that are
 * no words, such as [CLS], and -1 beyond the end of the text; and the number of the segment, from 0.
 */
export interface IdsShape {
  /** Ids lie below. */
  readonly vocabulary: number;
  /** The id that stands for a hidden token. */
  readonly mask: number;
}

/** Channels of a place of a text. */
export const textChannels = { id: 0, word: 1, segment: 2 } as const;

/**
 * Of a table the channels of a column are: its value, less the column's mean and divided by its deviation, or the number of the category,
 * from 0; and 1 where it is known, 0 where it is missing. The value is 0 then.
 */
export interface TableShape {
  readonly columns: readonly Column[];
}

/** What a column of a table holds. */
export type Column = { readonly name: string } & (
  | { readonly kind: "number"; readonly mean: number; readonly deviation: number }
  | { readonly kind: "category"; readonly categories: readonly string[] }
);

/** Channels of a column of a table. */
export const tableChannels = { value: 0, known: 1 } as const;

/** What the numbers of an array may be, in words: no block of one kind reads another. */
export const numberKinds = {
  amounts: "amounts",
  ids: "ids of a text",
  columns: "columns of a table",
  points: "points",
  faces: "faces of a mesh",
} as const;

export type NumberKind = keyof typeof numberKinds;

/**
 * Points without an order. What enters a model are groups of them, which may overlap: each begins with its centre, and the others follow from
 * the nearest to the farthest. A point has three coordinates and, where clouds bear their class, its number.
 */
export interface CloudShape {
  /** Points of a sample. */
  readonly points: number;
  /** Points of smaller clouds are taken several times; if absent, there are no smaller clouds. */
  readonly repeats?: true;
  /** Classes of which each cloud bears one; if absent, none does. */
  readonly classes?: number;
  /** Points of a group, where others stand behind them: all those of the cloud, as many behind each group; if absent, none do. */
  readonly neighbours?: number;
}

/**
 * A mesh whose faces were made of those of a base mesh. Channels of a face are its area, its three angles and three curvatures, both ascending, its
 * normal, and the coordinates of its corners. A patch has the faces that were made of one, row after row from one of its corners.
 */
export interface MeshShape {
  /** How often each face of the base mesh was cut in four. */
  readonly levels: number;
}

/** Channels of a face of a mesh: where its features begin, and its corners. */
export const faceChannels = { feature: 0, corner: 10, all: 19 } as const;

/** How a frame of sound fades in and out. */
export type FrameWindow = "hanning" | "hamming" | "povey" | "rectangular";

/** What sound is read, and what its frames and bands are. */
export interface SoundShape {
  /** Samples a second. */
  readonly rate: number;
  readonly window: FrameWindow;
  /** Milliseconds of a frame. */
  readonly length: number;
  /** Milliseconds from the beginning of a frame to that of the next. */
  readonly shift: number;
  /** Hertz where the first band begins. */
  readonly low: number;
  /** Hertz where the last band ends; null: half the rate, the highest frequency that there is. */
  readonly high: number | null;
}

/** Numbers of one sample. */
export const arrayLength = ({ axes, channels }: ArrayShape): number =>
  axes.reduce((product, { size }) => product * size, channels);

/** `224x224`: the sizes of the axes. */
export const sidesText = ({ axes }: ArrayShape): string => axes.map(({ size }) => size).join("x");

/** What a medium's samples and their parts are called where people read of them. */
export interface SampleWords {
  /** One sample; several are called so with an "s". */
  readonly sample: string;
  /** Its numbers. */
  readonly values: string;
  /** What the mean of a patch's numbers is. */
  readonly mean: string;
  /** What fills hidden patches without a model; if absent, the means of visible patches around. */
  readonly filling?: string;
}

/** What arrays with such axes are called. */
const media = {
  image: { axes: ["row", "column"], words: { sample: "image", values: "pixels", mean: "mean colour" } },
  video: { axes: ["time", "row", "column"], words: { sample: "clip", values: "pixels", mean: "mean colour" } },
  volume: { axes: ["depth", "row", "column"], words: { sample: "volume", values: "voxels", mean: "mean value" } },
  signal: { axes: ["lead", "time"], words: { sample: "signal", values: "values", mean: "mean value" } },
  text: { axes: ["place"], words: { sample: "text", values: "ids", mean: "commonest id" } },
  table: { axes: ["column"], words: { sample: "row", values: "values", mean: "mean value" } },
  points: {
    axes: ["group", "point"],
    words: {
      ...{ sample: "cloud", values: "coordinates", mean: "mean point" },
      filling: "the points of the nearest visible one, moved there",
    },
  },
  mesh: {
    axes: ["group", "face"],
    words: {
      ...{ sample: "surface", values: "coordinates", mean: "mean point" },
      filling: "the points of the nearest visible patch, moved there",
    },
  },
  spectrogram: { axes: ["time", "frequency"], words: { sample: "recording", values: "values", mean: "mean value" } },
} satisfies Readonly<Record<string, { readonly axes: readonly AxisName[]; readonly words: SampleWords }>>;

export type Medium = keyof typeof media;

/** Of an array with other axes, and of samples of several arrays. */
const anyWords: SampleWords = { sample: "sample", values: "values", mean: "mean value" };

/** null: its axes are no usual ones. */
export function mediumOf({ axes }: Pick<ArrayShape, "axes">): Medium | null {
  const names = axes.map(({ name }) => name).join();
  return (Object.keys(media) as Medium[]).find((medium) => media[medium].axes.join() === names) ?? null;
}

/** What its samples are stored as: frames of videos as videos. */
export const storedMedium = (array: ArrayShape): Medium | null => (array.gap ? "video" : mediumOf(array));

/** What the samples of a model are called that reads these arrays. */
export function wordsOf(arrays: Readonly<Record<string, Pick<ArrayShape, "axes">>>): SampleWords {
  const [only, another] = Object.values(arrays);
  const medium = only && !another ? mediumOf(only) : null;
  return medium ? media[medium].words : anyWords;
}

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

/** Whether it consists of pictures: one, the frames of a clip, the slices of a volume. */
export const hasPictures = ({ axes }: Pick<ArrayShape, "axes">): boolean =>
  axes.at(-2)?.name === "row" && axes.at(-1)?.name === "column";

/** Where coordinates stand in an array of what lies in space: points at each place, and the channel of the first one's. */
export interface PlacesInSpace {
  readonly points: number;
  readonly first: number;
}

/** null: nothing of it lies in space. */
export const placesInSpace = ({ cloud, mesh }: Pick<ArrayShape, "cloud" | "mesh">): PlacesInSpace | null =>
  cloud ? { points: 1, first: 0 } : mesh ? { points: 3, first: faceChannels.corner } : null;

/** Whether what its tokens are made of lies in space: their order says nothing of which are near each other. */
export const liesInSpace = (array: Parameters<typeof placesInSpace>[0]): boolean => placesInSpace(array) !== null;

/** The points of an array of what lies in space, or of some tokens of it, [P, 3], place after place. */
export function pointsIn(array: ArrayShape, values: Float32Array): Float32Array {
  const { channels } = array;
  const { points, first } = placesInSpace(array) as PlacesInSpace;
  if (first === 0 && points * 3 === channels) return values;
  const each = points * 3;
  const place = (at: number): number => Math.floor(at / each) * channels + first + (at % each);
  return Float32Array.from({ length: (values.length / channels) * each }, (_, at) => values[place(at)] as number);
}

/** Samples a second of what an array is made of; null: any. */
export const rateOf = ({ sound, rate }: ArrayShape): number | null => sound?.rate ?? rate ?? null;

/** Whether it is made of samples in time: of sound, or of leads side by side. */
export const isRecorded = (array: ArrayShape): boolean => array.sound !== undefined || mediumOf(array) === "signal";

export const isVideo = (array: Pick<ArrayShape, "axes">): boolean => mediumOf(array) === "video";

export const isVolume = (array: Pick<ArrayShape, "axes">): boolean => mediumOf(array) === "volume";

/**
 * An array as planes of rows and columns, one after another: its pictures. Of an array without any, the last axis lies along the rows
 * of a single plane, which the others count.
 */
export function planesOf(array: ArrayShape): { readonly count: number; readonly shape: ImageShape } {
  const { axes, channels } = array;
  const sizes = axes.map(({ size }) => size);
  const last = hasPictures(array) ? 2 : sizes.length;
  return {
    count: sizeOf(sizes.slice(0, -last)),
    shape: { height: sizeOf(sizes.slice(-last, -1)), width: sizes.at(-1) ?? 1, channels },
  };
}

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

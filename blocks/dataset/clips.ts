/**
 * Clips in a folder: each a file of a video or an animation, or a folder of frames, image files in the order of their names, with the numbers in
 * them as numbers.
 */

import { mediumOf } from "../arrays.js";
import type { Requirement } from "../block.js";
import { flag, optional } from "../params.js";
import { counted } from "../wording.js";
import { DataError, type DatasetContext, type Files } from "./contract.js";
import { endingOf, joined, type Listing, videoEndings } from "./listing.js";

/** Of data for clips. */
export const stillImages = optional(
  flag({
    doc: "Whether each sample is a still image, which every frame of a clip shows; if absent, samples are clips.",
  }),
);

export const stillOfVideos: Requirement<{ readonly still: typeof stillImages }, DatasetContext> = {
  name: "still-of-videos",
  at: "still",
  doc: "Only for videos images stand still.",
  holds: (p, { array }) => p.still !== true || mediumOf(array) === "video",
  say: () => "`still` shows an image in every frame of a clip, and the model reads no videos",
  help: () => "remove `still`, or write `input video` in the model",
};

/** How long a clip is, in frames that lie so far apart. */
export interface ClipLength {
  readonly frames: number;
  readonly stride: number;
}

export interface Clips {
  /** The clips in the place of images, and the folders that are classes. */
  readonly listing: Listing;
  /** Names of a clip's frames, in order; null: it is a file. */
  readonly framesOf: (clip: string) => readonly string[] | null;
}

const byNumbers = new Intl.Collator("en", { numeric: true });

/** Frames from the first to the last that are wanted, both included. */
export const spanOf = ({ frames, stride }: ClipLength): number => (frames - 1) * stride + 1;

const folderOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf("/")));

/** How a WebP file of the extended form says that it is an animation. */
const isAnimation = (beginning: Uint8Array): boolean =>
  String.fromCharCode(...beginning.subarray(12, 16)) === "VP8X" && ((beginning[20] ?? 0) & 2) !== 0;

/** Folders whose WebP files are animations, as the first of each is. */
async function foldersOfAnimations(listing: Listing, root: string, files: Files): Promise<ReadonlySet<string>> {
  const firsts = new Map<string, string>();
  for (const path of listing.samples) {
    if (endingOf(path) === "webp" && !firsts.has(folderOf(path))) firsts.set(folderOf(path), path);
  }
  const found = new Set<string>();
  for (const [folder, path] of firsts) {
    const { header } = await files.open(joined(root, path), (beginning) => ({
      size: 0,
      moves: isAnimation(beginning),
    }));
    if (header.moves) found.add(folder);
  }
  return found;
}

/** The files of a listing that hold clips, and the folders that hold frames. Throws `DataError` where one has too few, or lacks some. */
export async function clipsOf(listing: Listing, root: string, wanted: ClipLength, from: Files): Promise<Clips> {
  const animated = await foldersOfAnimations(listing, root, from);
  const isClip = (path: string): boolean =>
    videoEndings.includes(endingOf(path)) || (endingOf(path) === "webp" && animated.has(folderOf(path)));
  const files = listing.samples.filter(isClip);
  const frames = new Map<string, string[]>();
  for (const path of listing.samples.filter((one) => !isClip(one))) {
    const [clip, name] = [folderOf(path), path.slice(path.lastIndexOf("/") + 1)];
    if (clip === "") {
      throw new DataError(
        `${root} holds the image ${name} itself, and a clip is a folder of frames`,
        "Put the frames of each clip into a folder of its own, or write `input image` in the model.",
      );
    }
    const names = frames.get(clip) ?? [];
    names.push(name);
    frames.set(clip, names);
  }
  for (const [clip, names] of frames) {
    names.sort((a, b) => byNumbers.compare(a, b) || (a < b ? -1 : 1));
    checkFrames(`${root}/${clip}`, names, wanted);
  }
  const samples = [...files, ...frames.keys()].sort();
  const isClassed = samples.some((clip) => clip.includes("/"));
  return {
    listing: { ...listing, samples, folders: isClassed ? listing.folders : [] },
    framesOf: (clip) => frames.get(clip) ?? null,
  };
}

function checkFrames(clip: string, names: readonly string[], wanted: ClipLength): void {
  const needed = spanOf(wanted);
  if (names.length < needed) {
    const every = wanted.stride === 1 ? "" : ` frames, ${wanted.stride} apart,`;
    throw new DataError(
      `${clip} holds ${counted(names.length, "frame")}, and a clip of ${wanted.frames}${every} needs ${needed}`,
      "Leave it out, add its other frames, or take fewer: `frames` in the model's input, `stride` in folder(...).",
    );
  }
  const numbers = names.map((name) => /(\d+)\D*$/.exec(name)?.[1]).map(Number);
  const steps = numbers.slice(1).map((number, i) => number - (numbers[i] as number));
  const usual = Math.min(...steps);
  const gap = steps.findIndex((step) => step !== usual);
  // Names that are not numbered, or not one by one, say nothing of what is missing.
  if (!numbers.every(Number.isInteger) || usual < 1 || gap < 0) return;
  throw new DataError(
    `${clip} lacks frames between ${names[gap]} and ${names[gap + 1]}`,
    "Extract the frames again, or number those that are there without a gap.",
  );
}

/** Clips in a folder: each a folder of frames, image files in the order of their names, with the numbers in them as numbers. */

import { counted } from "../wording.js";
import { DataError } from "./contract.js";
import type { Listing } from "./listing.js";

/** How long a clip is, in frames that lie so far apart. */
export interface ClipLength {
  readonly frames: number;
  readonly stride: number;
}

export interface Clips {
  /** The clips in the place of images, and the folders that are classes. */
  readonly listing: Listing;
  /** Names of a clip's frames, in order. */
  readonly framesOf: (clip: string) => readonly string[];
}

const byNumbers = new Intl.Collator("en", { numeric: true });

/** Frames from the first to the last that are wanted, both included. */
export const spanOf = ({ frames, stride }: ClipLength): number => (frames - 1) * stride + 1;

/** The folders of a listing that hold frames. Throws `DataError` where one has too few, or lacks some. */
export function clipsOf(listing: Listing, root: string, wanted: ClipLength): Clips {
  const frames = new Map<string, string[]>();
  for (const path of listing.samples) {
    const [clip, name] = [path.slice(0, Math.max(0, path.lastIndexOf("/"))), path.slice(path.lastIndexOf("/") + 1)];
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
  const samples = [...frames.keys()].sort();
  const isClassed = samples.some((clip) => clip.includes("/"));
  const contents = { ...listing.contents, one: "clip", many: "clips" };
  return {
    listing: { ...listing, contents, samples, folders: isClassed ? listing.folders : [] },
    framesOf: (clip) => frames.get(clip) ?? [],
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

/** What lies in a folder: files with samples by their names' endings, and what is left out. */

import type { Medium } from "../arrays.js";
import { counted } from "../wording.js";
import type { Files } from "./contract.js";

/** Files with a sample each, of one medium. */
export interface Contents {
  /** What one sample is called, and several. */
  readonly one: string;
  readonly many: string;
  /** Of the names of files that are read. */
  readonly endings: readonly string[];
  /** Of files that belong to others, which are read with them. */
  readonly beside?: readonly string[];
  /** The usual ones, in words. */
  readonly formats: string;
}

const imageEndings = ["avif", "gif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp"];

/** Of files that hold a clip each. */
export const videoEndings: readonly string[] = ["gif", "m4v", "mkv", "mov", "mp4", "webm"];

/** By what the model reads; of others, no file is read. */
export const contentsOf: { readonly [M in Medium]?: Contents } = {
  image: {
    one: "image",
    many: "images",
    endings: imageEndings,
    formats: ".jpg, .png, .webp, .gif, .tiff or .avif files",
  },
  video: {
    one: "clip",
    many: "clips",
    endings: [...new Set([...imageEndings, ...videoEndings])],
    formats: ".mp4, .mov, .webm, .mkv, .gif or animated .webp files, or a folder of frames for each clip",
  },
  spectrogram: {
    one: "sound",
    many: "sounds",
    endings: ["flac", "mp3", "wav", "wave"],
    formats: ".wav, .flac or .mp3 files",
  },
  signal: {
    one: "record",
    many: "records",
    endings: ["bdf", "csv", "edf", "flac", "hea", "mp3", "wav", "wave"],
    beside: ["atr", "dat"],
    formats: ".csv, .hea (WFDB), .edf, .bdf or .wav files",
  },
  points: {
    one: "shape",
    many: "shapes",
    endings: ["npy", "npz", "obj", "off", "ply", "pts", "txt", "xyz"],
    beside: ["seg"],
    formats: ".off, .obj, .ply, .npy or .npz files, or .txt, .xyz or .pts files with a point in each line",
  },
  mesh: { one: "mesh", many: "meshes", endings: ["obj", "off"], formats: ".off or .obj files" },
  volume: {
    one: "scan",
    many: "scans",
    endings: ["dcm", "dicom", "ima", "nii", "nii.gz"],
    formats: ".nii or .nii.gz files, or folders of .dcm files",
  },
};

export interface Listing {
  readonly contents: Contents;
  /** Paths of the samples relative to the folder, in code unit order: files, or folders of frames. */
  readonly samples: readonly string[];
  /** Names of the folders directly inside, in code unit order. */
  readonly folders: readonly string[];
  /** Number of files left out, by ending. */
  readonly others: ReadonlyMap<string, number>;
}

export const joined = (folder: string, path: string): string =>
  folder.endsWith("/") ? folder + path : `${folder}/${path}`;

/** `.JPG` -> `jpg`, `.nii.gz` whole; a name without a dot has none. */
export const endingOf = (name: string): string => /\.(nii\.gz|[^.]*)$/i.exec(name)?.[1]?.toLowerCase() ?? "";

/** All of a folder, at any depth. What begins with a dot is passed over. */
export async function listFolder(files: Files, folder: string, contents: Contents): Promise<Listing> {
  const samples: string[] = [];
  const folders: string[] = [];
  const others = new Map<string, number>();
  const visit = async (under: string): Promise<void> => {
    for (const name of await files.list(under === "" ? folder : joined(folder, under))) {
      if (name.startsWith(".")) continue;
      if (name.endsWith("/")) {
        if (under === "") folders.push(name.slice(0, -1));
        await visit(under + name);
      } else if (contents.endings.includes(endingOf(name))) samples.push(under + name);
      else if (!contents.beside?.includes(endingOf(name)))
        others.set(endingOf(name), (others.get(endingOf(name)) ?? 0) + 1);
    }
  };
  await visit("");
  return { contents, samples: samples.sort(), folders: folders.sort(), others };
}

/** `left out 3 files that cannot be read as images: 2 .txt, 1 .db`, or nothing. */
export function othersNote({ contents, others }: Listing): readonly string[] {
  const total = [...others.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return [];
  const parts = [...others].sort(([a], [b]) => (a < b ? -1 : 1));
  const words = parts.map(([ending, count]) => `${count} ${ending === "" ? "without ending" : `.${ending}`}`);
  return [`left out ${counted(total, "file")} that cannot be read as ${contents.many}: ${words.join(", ")}`];
}

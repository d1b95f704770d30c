/** Files with the classes of the places of samples, found by the names of the samples or named in a table. */

import { type ArrayShape, storedMedium } from "../arrays.js";
import { counted } from "../wording.js";
import { DataError, type Files, withoutEnding } from "./contract.js";
import { readLabelFile } from "./label-file.js";
import { type Contents, joined, listFolder } from "./listing.js";

/** By what the model reads: endings of the files that can hold classes of its places. */
const endings = { image: ["png", "npy"], volume: ["nii", "nii.gz"], points: ["seg", "npy", "npz", "txt"] } as const;

/** Whether files can hold the classes of an array's places. */
export const hasMapFiles = (array: ArrayShape): boolean => mapEndings(array) !== null;

const mapEndings = (array: ArrayShape): readonly string[] | null =>
  Object.entries(endings).find(([medium]) => medium === storedMedium(array))?.[1] ?? null;

/** Samples with the files of their maps. */
export interface MapFiles {
  /** Of a sample by its path in its folder; undefined: it has none. */
  readonly of: (path: string) => string | undefined;
  readonly note: (left: number, contents: Contents) => readonly string[];
}

/**
 * `place`: a folder with a file for each sample, at the same path but for its ending, or a CSV file with columns `path` and `map`, both
 * relative to their folders.
 */
export async function mapFiles(files: Files, place: string, array: ArrayShape): Promise<MapFiles> {
  const note: MapFiles["note"] = (left, { one }) =>
    left === 0 ? [] : [`left out ${counted(left, one)} without a map in ${place}`];
  if (place.toLowerCase().endsWith(".csv")) {
    const table = readLabelFile(await files.read(place), place, false, "map");
    const folder = place.slice(0, place.lastIndexOf("/") + 1);
    return {
      note,
      of(path) {
        const named = table.get(path) ?? table.get(withoutEnding(path));
        return named === undefined ? undefined : `${folder}${named}`;
      },
    };
  }
  const known = mapEndings(array) ?? [];
  const contents: Contents = { one: "map", many: "maps", endings: known, formats: formatsOf(known) };
  const { samples } = await listFolder(files, place, contents);
  if (samples.length === 0) throw new DataError(`${place} holds no maps`, `Name a folder with ${contents.formats}.`);
  // Of several files of one name, as beside clouds of the same folder, the one whose ending comes first.
  const order = (path: string): number => known.findIndex((ending) => path.toLowerCase().endsWith(`.${ending}`));
  const sorted = [...samples].sort((a, b) => order(b) - order(a));
  const byName = new Map(sorted.map((path) => [withoutEnding(path), path]));
  return {
    note,
    of(path) {
      const found = byName.get(withoutEnding(path));
      return found === undefined ? undefined : joined(place, found);
    },
  };
}

const formatsOf = (known: readonly string[]): string => `${known.map((ending) => `.${ending}`).join(" or ")} files`;

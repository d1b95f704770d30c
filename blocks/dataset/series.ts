/** Scans in a folder: files that hold a volume each, and folders whose files hold its slices. */

import { DataError } from "./contract.js";
import type { Listing } from "./listing.js";

export interface Series {
  /** Files and folders of slices in the place of files, and the folders that are classes. */
  readonly listing: Listing;
  /** Names of the slices in a folder; none: it is a file. */
  readonly slicesOf: (sample: string) => readonly string[];
}

const isSlice = (path: string): boolean => /\.(?:dcm|dicom|ima)$/i.test(path);

/** Throws `DataError` where slices lie beside scans. */
export function seriesOf(listing: Listing, root: string): Series {
  const slices = new Map<string, string[]>();
  const files: string[] = [];
  for (const path of listing.samples) {
    const [folder, name] = [path.slice(0, Math.max(0, path.lastIndexOf("/"))), path.slice(path.lastIndexOf("/") + 1)];
    if (!isSlice(name)) files.push(path);
    else if (folder === "") {
      throw new DataError(
        `${root} holds the slice ${name} itself`,
        "Put the slices of each scan into a folder of its own.",
      );
    } else slices.set(folder, [...(slices.get(folder) ?? []), name]);
  }
  const samples = [...files, ...slices.keys()].sort();
  const isClassed = samples.some((sample) => sample.includes("/"));
  return {
    listing: { ...listing, samples, folders: isClassed ? listing.folders : [] },
    slicesOf: (sample) => slices.get(sample) ?? [],
  };
}

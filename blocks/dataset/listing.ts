/** What lies in a folder: image files by their names' endings, and what is left out. */

import { counted } from "../counts.js";
import type { Files } from "./contract.js";

/** Endings of the formats that the image reader decodes. */
const endings = new Set(["avif", "gif", "jfif", "jpe", "jpeg", "jpg", "png", "tif", "tiff", "webp"]);

export interface Listing {
  /** What the samples are called. */
  readonly what: "image" | "clip";
  /** Paths of the samples relative to the folder, in code unit order: image files, or folders of frames. */
  readonly images: readonly string[];
  /** Names of the folders directly inside, in code unit order. */
  readonly folders: readonly string[];
  /** Number of files left out, by ending. */
  readonly others: ReadonlyMap<string, number>;
}

export const joined = (folder: string, path: string): string =>
  folder.endsWith("/") ? folder + path : `${folder}/${path}`;

/** `.JPG` -> `jpg`; a name without a dot has none. */
const endingOf = (name: string): string => (name.includes(".") ? (name.split(".").at(-1) as string).toLowerCase() : "");

/** All of a folder, at any depth. What begins with a dot is passed over. */
export async function listFolder(files: Files, folder: string): Promise<Listing> {
  const images: string[] = [];
  const folders: string[] = [];
  const others = new Map<string, number>();
  const visit = async (under: string): Promise<void> => {
    for (const name of await files.list(under === "" ? folder : joined(folder, under))) {
      if (name.startsWith(".")) continue;
      if (name.endsWith("/")) {
        if (under === "") folders.push(name.slice(0, -1));
        await visit(under + name);
      } else if (endings.has(endingOf(name))) images.push(under + name);
      else others.set(endingOf(name), (others.get(endingOf(name)) ?? 0) + 1);
    }
  };
  await visit("");
  return { what: "image", images: images.sort(), folders: folders.sort(), others };
}

/** `left out 3 files that are not readable images: 2 .txt, 1 .db`, or nothing. */
export function othersNote({ others }: Listing): readonly string[] {
  const total = [...others.values()].reduce((sum, count) => sum + count, 0);
  if (total === 0) return [];
  const parts = [...others].sort(([a], [b]) => (a < b ? -1 : 1));
  const words = parts.map(([ending, count]) => `${count} ${ending === "" ? "without ending" : `.${ending}`}`);
  return [`left out ${counted(total, "file")} that cannot be read as images: ${words.join(", ")}`];
}

/**
 * What lies in files of weights and in runs that specs start from. A text is checked without waiting; what it asks for and nobody has looked
 * at yet is noted, read, and known when the text is checked again.
 */

import { readdirSync, type Stats, statSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Analysis, Host, NoWeights, WeightsFile } from "../../compiler/index.js";
import type { Source } from "../../grammar/index.js";
import type { Vocabulary } from "../config/index.js";
import { analyzeText, hostFor } from "./analysis.js";

type Found = WeightsFile | NoWeights;

/** What was found, and of which state of the file. */
interface Known {
  readonly stamp: string;
  readonly found: Found;
}

/** Of this process, by path. */
const known = new Map<string, Known>();

const missing: NoWeights = { problem: "missing", why: "it is not there" };

/** A file, or the newest checkpoint of a run's folder; null: neither is there. */
export function weightsPath(path: string): string | null {
  const facts = statOf(path);
  if (!facts?.isDirectory()) return facts ? path : null;
  const steps = namesIn(path).flatMap((name) => /^checkpoint-(\d{1,15})\.safetensors$/.exec(name)?.[1] ?? []);
  const newest = steps.sort((a, b) => Number(a) - Number(b)).at(-1);
  return newest === undefined ? null : join(path, `checkpoint-${newest}.safetensors`);
}

const statOf = (path: string): Stats | undefined => {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // What the system does not let anybody look at is not there for us.
    return undefined;
  }
};

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** What files of weights hold, as far as it is known, and a way to know more. */
export interface WeightsHere extends Required<Pick<Host, "weights">> {
  /** Reads what was asked for and not known; gives whether there was anything. */
  readonly settle: () => Promise<boolean>;
}

export function weightsHere(): WeightsHere {
  const asked = new Map<string, string>();
  return {
    weights(path) {
      const file = path === "" ? null : weightsPath(resolve(path));
      const facts = file === null ? undefined : statOf(file);
      if (file === null || !facts) return missing;
      const stamp = `${facts.mtimeMs} ${facts.size}`;
      const before = known.get(file);
      if (before?.stamp === stamp) return before.found;
      asked.set(file, stamp);
      return undefined;
    },
    async settle() {
      const all = [...asked];
      asked.clear();
      for (const [file, stamp] of all) known.set(file, { stamp, found: await outlineOf(file) });
      return all.length > 0;
    },
  };
}

async function outlineOf(file: string): Promise<Found> {
  const { outlineWeights, RunError } = await import("../../runtime/index.js");
  try {
    return await outlineWeights(file);
  } catch (error) {
    if (error instanceof RunError) return { problem: "unreadable", why: error.why ?? error.what };
    throw error;
  }
}

/** The same as `analyzeText`, with what lies in the files that the text starts from. */
export async function analyzeWithWeights(source: Source, vocabulary: Vocabulary): Promise<Analysis> {
  const here = weightsHere();
  const analyze = (): Analysis => analyzeText(source, vocabulary, { ...hostFor(source.path), weights: here.weights });
  const first = analyze();
  return (await here.settle()) ? analyze() : first;
}

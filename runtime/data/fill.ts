/** Fills a batch through a pool: pieces to all threads, and another sample in the place of each that is broken. */

import type { ModelProgram, SampleIndex, View } from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import type { Pool } from "./pool.js";
import { type OtherItem, sourcesOf } from "./preparation.js";
import { type BatchBuffers, type Failed, fromPlain, type Remarked } from "./work.js";

/** Files that are of no use, beyond this share of the data set and beyond `uselessAllowed`, end a run. */
const uselessShare = 0.01;
const uselessAllowed = 3;

export interface Filled {
  /** The sample in each place, whose content is there. */
  readonly shown: Int32Array;
  readonly failed: readonly Failed[];
  readonly remarks: readonly Remarked[];
}

/** The sample that is mixed with one in an epoch; null: none is. */
export type DrawOther = (epoch: number, sample: number) => Pick<OtherItem, "sample" | "ownShare"> | null;

/**
 * Prepares `samples` into `buffers`. A file that cannot be decoded, or does not fit the model, is replaced by the next sample of
 * the data set, which depends on nothing but the data. Throws `run/too-many-broken-files`, what does not fit about too many
 * files, and what the workers throw.
 */
export async function fillBatch(
  pool: Pool,
  index: SampleIndex,
  root: string,
  { epoch, samples, views }: { readonly epoch: number; readonly samples: Int32Array; readonly views?: readonly View[] },
  {
    arrays,
    buffers,
    drawOther,
  }: { readonly arrays: ModelProgram["arrays"]; readonly buffers: BatchBuffers; readonly drawOther: DrawOther },
): Promise<Filled> {
  const failed: Failed[] = [];
  const remarks: Remarked[] = [];
  const current = Int32Array.from(samples);
  let open = [...current.keys()];
  for (let round = 0; open.length > 0; round++) {
    // Every sample has been tried.
    if (round === index.length) throw useless(failed);
    const items = open.map((place) => {
      const sample = current[place] as number;
      const view = views?.[place];
      const item = { ...contentOf(index, root, arrays, sample), epoch, sample, place };
      const drawn = drawOther(epoch, sample);
      const other = drawn && { other: { ...drawn, ...contentOf(index, root, arrays, drawn.sample) } };
      return { ...item, ...other, ...(view ? { view } : {}) };
    });
    const answers = await Promise.all(
      pieces(items, pool.workers).map((piece) => pool.prepare({ buffers, items: piece })),
    );
    remarks.push(...answers.flatMap((answer) => answer.remarks));
    const broken = answers.flatMap((answer) => answer.failed);
    failed.push(...broken);
    checkShare(failed, index.length);
    open = broken.map(({ place }) => place);
    for (const place of open) current[place] = ((current[place] as number) + 1) % index.length;
  }
  return { shown: current, failed, remarks };
}

const contentOf = (index: SampleIndex, root: string, arrays: ModelProgram["arrays"], sample: number) => {
  const content = index.sample(sample);
  const value = index.values?.(sample);
  return { sources: sourcesOf(content, root, arrays), label: content.label, ...(value === undefined ? {} : { value }) };
};

/** So many files of no use a data set may have. */
export const mostUseless = (samples: number): number => Math.max(uselessAllowed, samples * uselessShare);

/** Throws when more files are of no use than a data set may have. */
export function checkShare(failed: readonly Failed[], samples: number): void {
  const paths = new Set(failed.map(({ path }) => path));
  if (paths.size > mostUseless(samples)) throw useless(failed);
}

/** What is wrong with most of them: that they do not fit the model, or that they are broken. */
function useless(failed: readonly Failed[]): Error {
  const unfit = failed.flatMap(({ error }) => error ?? []);
  const [first] = unfit;
  if (first !== undefined && 2 * unfit.length > failed.length) return fromPlain(first);
  const shown = new Map(failed.map(({ path, why }) => [path, why]));
  return new RunError("run/too-many-broken-files", {
    what: `${shown.size} ${shown.size === 1 ? "file" : "files"} cannot be decoded`,
    why: [...shown]
      .slice(0, 3)
      .map(([path, why]) => `${path}: ${why}`)
      .join("; "),
    help: "Fetch them again or take them out; up to 1 % of a data set, or three files, are skipped.",
  });
}

/** Nearly equal runs, one for each thread. */
function pieces<T>(items: readonly T[], threads: number): readonly (readonly T[])[] {
  const count = Math.max(1, Math.min(threads, items.length));
  return Array.from({ length: count }, (_, k) =>
    items.slice(Math.floor((k * items.length) / count), Math.floor(((k + 1) * items.length) / count)),
  );
}

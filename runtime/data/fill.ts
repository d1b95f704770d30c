/** Fills a batch through a pool: pieces to all threads, and another sample in the place of each that is broken. */

import type { SampleIndex } from "../../blocks/index.js";
import { RunError } from "../run-error.js";
import type { Pool } from "./pool.js";
import { sourceOf } from "./prepare.js";
import type { BatchBuffers, Failed, Remarked } from "./work.js";

/** Broken files beyond this share of the data set, and beyond `brokenAllowed`, end a run. */
const brokenShare = 0.01;
const brokenAllowed = 3;

export interface Filled {
  readonly failed: readonly Failed[];
  readonly remarks: readonly Remarked[];
}

/**
 * Prepares `samples` into `buffers`. A file that cannot be decoded is replaced by the next sample of the data set, which
 * depends on nothing but the data. Throws `run/too-many-broken-files` and what the workers throw.
 */
export async function fillBatch(
  pool: Pool,
  index: SampleIndex,
  root: string,
  { epoch, samples }: { readonly epoch: number; readonly samples: Int32Array },
  buffers: BatchBuffers,
): Promise<Filled> {
  const failed: Failed[] = [];
  const remarks: Remarked[] = [];
  const current = Int32Array.from(samples);
  let open = [...current.keys()];
  while (open.length > 0) {
    const items = open.map((place) => {
      const sample = current[place] as number;
      const content = index.sample(sample);
      return { source: sourceOf(content, root), label: content.label, epoch, sample, place };
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
  return { failed, remarks };
}

/** Throws when more files are broken than a data set may have. */
export function checkShare(failed: readonly Failed[], samples: number): void {
  const paths = new Set(failed.map(({ path }) => path));
  if (paths.size <= Math.max(brokenAllowed, samples * brokenShare)) return;
  throw new RunError("run/too-many-broken-files", {
    what: `${paths.size} image files cannot be decoded`,
    why: failed
      .slice(0, 3)
      .map(({ path, why }) => `${path}: ${why}`)
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

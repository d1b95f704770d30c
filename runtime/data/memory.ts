/** What a run's data needs of memory: the samples that are held, the threads that prepare batches, and the batches themselves. */

import type { BoundField, ModelProgram, SampleIndex, Training } from "../../blocks/index.js";
import { sizeOf } from "../../graph/index.js";
import { bytesKept } from "./allowance.js";
import { buffersFor, usefulWorkers } from "./batches.js";
import { numbersOf, numbersPrepared, preparedOf } from "./preparation.js";

/** Bytes of a data worker with its decoder, as `npm run bench -- --memory` measured them. */
const workerBytes = 14e6;
/** Bytes that the path of a sample takes with its place in the list. */
const pathBytes = 200;
const numberBytes = 4;

export interface DataNeeds {
  /** Bytes at any size of a batch. */
  readonly fixed: number;
  /** Bytes of each sample of a batch, besides the batch that a step is fed. */
  readonly perSample: number;
}

export interface DataSize {
  /** null: the data is not here; its samples are then taken for files. */
  readonly index: SampleIndex | null;
  readonly arrays: ModelProgram["arrays"];
  readonly streams?: ModelProgram["views"];
  readonly fields: Readonly<Record<string, BoundField>>;
  readonly augment: Training["augment"];
  /** That may prepare batches. */
  readonly workers: number;
}

export function dataNeeds({ index, arrays, streams, fields, augment, workers }: DataSize): DataNeeds {
  const seen = streams ? { streams } : {};
  const used = index === null ? workers : usefulWorkers({ index, augment, ...seen, workers, fields });
  const lengths = [
    ...preparedOf({ arrays, ...seen }).map(numbersPrepared),
    ...Object.values(fields).map(({ shape }) => sizeOf(shape)),
  ];
  const numbers = lengths.reduce((sum, length) => sum + length, 0);
  return {
    fixed: used * workerBytes + (index === null ? 0 : samplesHeld(index) + bytesKept({ index, arrays }, used)),
    perSample: buffersFor(used) * numbers * numberBytes,
  };
}

function samplesHeld(index: SampleIndex): number {
  return index.length * numbersOf(index.sample(0)).reduce((sum, own) => sum + (own?.byteLength ?? pathBytes), 0);
}

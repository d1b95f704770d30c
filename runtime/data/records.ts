/** Samples as records in time: how long each is, which parts of it are looked at, and where in it these lie. */

import { dirname } from "node:path";
import {
  type ArrayShape,
  beginningOf,
  type FrameSpan,
  isVideo,
  middleView,
  type SampleIndex,
  type View,
} from "../../blocks/index.js";
import { BrokenFile } from "./broken-file.js";
import { type Preparation, type Source, sourcesOf } from "./preparation.js";
import { arraySteps } from "./prepare.js";
import { withRecording } from "./recording/open.js";
import { changed } from "./recording/steps.js";
import { frameSizes, framesIn, samplesOf } from "./sound/filterbank.js";
import { lengthOfVideo } from "./video/video-file.js";
import { isUnfit } from "./work.js";

/** Which parts of a sample: so many, or one every so many frames. Both null: they overlap by half. */
export interface Parts {
  readonly clips: number | null;
  readonly every: number | null;
}

export interface SampleRecord {
  readonly name: string;
  /** The folders that it lies in, without that of its class. */
  readonly folder: string;
  readonly label: number | null;
  /** Where it is anomalous; null: nobody has looked. */
  readonly anomalies: readonly FrameSpan[] | null;
  /** Frames of a video or a spectrogram, samples of a signal; 1 of what does not lie in time. */
  readonly length: number;
  /** Frames from one of a part to its next. */
  readonly stride: number;
  /** Each part, and the frame at which it begins. */
  readonly parts: readonly { readonly view: View; readonly begin: number }[];
}

/** How samples are read. */
type Reading = Pick<Preparation, "arrays" | "augment" | "root">;

/** All samples of an index, as a model reads them. Files that are broken have one part. Throws what reading throws. */
export async function recordsOf(index: SampleIndex, context: Reading, wanted: Parts): Promise<readonly SampleRecord[]> {
  const records: SampleRecord[] = [];
  for (let i = 0; i < index.length; i++) records.push(await recordOf(index, i, context, wanted));
  return records;
}

async function recordOf(
  index: SampleIndex,
  i: number,
  context: Reading,
  { clips, every }: Parts,
): Promise<SampleRecord> {
  const sample = index.sample(i);
  const { length, stride, window, unit, most } = await timesOf(
    sourcesOf(sample, context.root, context.arrays),
    context,
  );
  const step = (every ?? Math.max(1, Math.floor((window * stride) / 2))) * unit;
  const count = clips ?? Math.ceil(most / step) + 1;
  const parts = Array.from({ length: count }, (_, at) => {
    const clip = { at, of: count };
    return { view: { ...middleView, clip }, begin: Math.round(beginningOf(clip, most) / unit) };
  });
  const [first] = sample.kind === "joined" ? Object.values(sample.parts) : [sample];
  const isFile = first?.kind === "file" || first?.kind === "frames";
  const within = isFile ? (first.within ?? first.path) : "";
  // Of several classes none says whether it is usual.
  const label = typeof sample.label === "number" ? sample.label : null;
  const own = index.classes[label ?? -1];
  return {
    name: isFile ? within : `sample ${i + 1}`,
    folder: dirname(within)
      .split("/")
      .filter((name) => name !== own && name !== ".")
      .join("/"),
    label,
    anomalies: isFile ? (first.anomalies ?? null) : null,
    length,
    stride,
    parts,
  };
}

interface Times {
  readonly length: number;
  readonly stride: number;
  /** Frames that a model reads of it. */
  readonly window: number;
  /** Of what is cut: of sounds, samples of a frame. */
  readonly unit: number;
  /** The last place at which a part may begin, in these. */
  readonly most: number;
}

/** What has no time, or as much as the model reads. */
const still = (window: number): Times => ({ length: window, stride: 1, window, unit: 1, most: 0 });

/** Of the first input that lies in time. */
async function timesOf(sources: Readonly<Record<string, Source>>, context: Reading): Promise<Times> {
  for (const [name, array] of Object.entries(context.arrays)) {
    const window = timeOf(array);
    const source = sources[name];
    if (window === null || !source) continue;
    try {
      return await timesIn(source, { name, array, window }, context);
    } catch (error) {
      if (!(error instanceof BrokenFile || isUnfit(error))) throw error;
      return still(window);
    }
  }
  return still(1);
}

/** Places of an array along time; null: it has no such axis. */
export const timeOf = ({ axes }: ArrayShape): number | null => axes.find(({ name }) => name === "time")?.size ?? null;

async function timesIn(
  source: Source,
  { name, array, window }: { readonly name: string; readonly array: ArrayShape; readonly window: number },
  { arrays, augment, root }: Reading,
): Promise<Times> {
  if (source.kind === "array") {
    const length = timeOf(source.shape) ?? window;
    return { ...still(window), length, most: Math.max(0, length - window) };
  }
  if (isVideo(array)) {
    const { count, stride } = source.kind === "frames" ? source : (source.clip ?? { count: window, stride: 1 });
    const length = source.kind === "frames" ? source.names.length : await lengthOfVideo(source.path);
    return { length, stride, window, unit: 1, most: Math.max(0, length - (count - 1) * stride - 1) };
  }
  const { sound } = array;
  const evaluation = { arrays, augment, root, seed: 0, mode: "evaluate", fields: {} } as const;
  const steps = arraySteps(source.path, { name, shape: array }, evaluation);
  const whole = steps.filter(({ kind }) => kind !== "cut");
  const samples = await withRecording(source.path, async (recording) => changed(recording, whole, array).length);
  if (!sound) return { ...still(window), length: samples, most: Math.max(0, samples - window) };
  const unit = frameSizes(sound).shift;
  return {
    ...{ length: Math.max(1, framesIn(samples, sound)), stride: 1, window, unit },
    most: Math.max(0, samples - samplesOf(window, sound)),
  };
}

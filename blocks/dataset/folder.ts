/**
 * A folder of files with a sample each, flat or with a sub-folder for each class: images, sounds, records of signals, scans; where clips
 * or slices are read, a folder for each in their place.
 */

import { invariant } from "../../graph/index.js";
import { type ArrayShape, mediumOf, storedMedium } from "../arrays.js";
import { int, optional, ratio, text, type ValuesOf } from "../params.js";
import { counted } from "../wording.js";
import { clipsOf, stillImages, stillOfVideos } from "./clips.js";
import {
  type ArraySample,
  DataError,
  type DatasetContext,
  defineDataset,
  type Files,
  type FrameSpan,
  NoTestData,
  type SampleIndex,
  type Split,
  withoutEnding,
} from "./contract.js";
import { readAnomalyFile } from "./label-file.js";
import { type Labelled, labelled, list } from "./labelled.js";
import { type Contents, contentsOf, joined, type Listing, listFolder, othersNote } from "./listing.js";
import { hasMapFiles, mapFiles } from "./map-files.js";
import { seriesOf } from "./series.js";

const params = {
  path: text({ doc: "The folder." }),
  test: optional(text({ doc: "Folder with the test samples, with the same class sub-folders." })),
  holdout: ratio({
    max: 0.9,
    default: 0,
    doc: "Share of the files kept for the test split, chosen by their paths alone.",
  }),
  stride: optional(
    int({ min: 1, max: 65_536, doc: "Of a video, every how manieth frame is taken; if absent, each of them." }),
  ),
  still: stillImages,
  labels: optional(
    text({
      doc: "CSV file with columns `path` and `label`, paths relative to the folder; if absent, labels are the sub-folders.",
    }),
  ),
  test_labels: optional(
    text({ doc: "The same for the test folder; if absent, labels of its files are the sub-folders." }),
  ),
  header: optional(
    text({
      doc: "Of WFDB records, what the comment in a header begins with that names its labels, such as `Dx`; if absent, headers name none.",
    }),
  ),
  separator: optional(
    text({
      doc: "What stands between labels, in a table, a header or the name of a sub-folder, where a sample may have any number of them; if absent, each has one.",
    }),
  ),
  maps: optional(
    text({
      doc: "Folder with the classes of the places of each sample, or their values, at the same path but for the ending: a PNG (grey, or its numbers of colours), npy or NIfTI file of its size, of clouds a number for each point in .npy, .npz, .seg or .txt; or a CSV file with columns `path` and `map`. If absent, there are none.",
    }),
  ),
  test_maps: optional(text({ doc: "The same for the test folder." })),
  parts: optional(
    text({
      doc: "Of clouds, what in their own files is the part of each point: a property of PLY such as `label`, the name of an array in npz, or the number of a column of npy and text files, from 1. If absent, nothing is.",
    }),
  ),
  anomalies: optional(
    text({
      doc: "Of videos, a CSV file with columns `path`, `first` and `last`: stretches of frames of test samples that are anomalous, frames counted from 1 and paths relative to the test folder. All other frames are usual.",
    }),
  ),
};

type Values = ValuesOf<typeof params>;

/** What files of the model's input hold, which the checker lets through. */
function contentsFor(array: ArrayShape, still: boolean): Contents {
  const medium = still ? "image" : storedMedium(array);
  const contents = medium === null ? undefined : contentsOf[medium];
  invariant(contents, "a folder of what no file holds");
  return contents;
}

/** The samples of a split; all of them where the folder has one split only. `nameOf`: by which they are held out. */
function ofSplit(
  { samples }: Labelled,
  p: Values,
  split: Split,
  nameOf: (path: string) => string,
): Labelled["samples"] {
  if (p.holdout === 0) return samples;
  return samples.filter(([path]) => isHeldOut(nameOf(path), p.holdout) === (split === "test"));
}

type Parts = Pick<Extract<ArraySample, { readonly kind: "frames" }>, "names" | "count" | "stride">;

/** Files with a sample each, or folders whose files are a sample together. */
interface Grouped {
  readonly listing: Listing;
  /** The files of a sample that is a folder; null: it is a file. */
  readonly partsOf: (sample: string) => Parts | null;
  /** What is read of a file that holds a video. */
  readonly clip?: { readonly count: number; readonly stride: number };
  /** The parts of a sample are the sample itself, again and again. */
  readonly isStill?: true;
}

async function groupsOf(
  found: Listing,
  root: string,
  { array, stride, still }: { array: ArrayShape; stride: number; still: boolean },
  files: Files,
): Promise<Grouped> {
  const [time] = array.axes;
  if (still && time) {
    // The same file in every frame.
    const partsOf = (sample: string): Parts => ({ names: Array(time.size).fill(sample), count: time.size, stride: 1 });
    return { listing: found, partsOf, isStill: true };
  }
  if (storedMedium(array) === "video" && time) {
    const { gap } = array;
    // Of two frames, how far apart they are is drawn anew each time.
    const count = gap ? 2 : time.size;
    const { listing, framesOf } = await clipsOf(
      found,
      root,
      { frames: count, stride: stride * (gap?.least ?? 1) },
      files,
    );
    const clip = { count, stride };
    const partsOf = (sample: string): Parts | null => {
      const names = framesOf(sample);
      return names && { names, ...clip };
    };
    return { listing, partsOf, clip };
  }
  if (mediumOf(array) !== "volume") return { listing: found, partsOf: () => null };
  const { listing, slicesOf } = seriesOf(found, root);
  return {
    listing,
    partsOf(scan) {
      const names = slicesOf(scan);
      return names.length === 0 ? null : { names, count: names.length, stride: 1 };
    },
  };
}

interface Oddities {
  /** By path; null: nobody has looked. */
  readonly spans: ReadonlyMap<string, readonly FrameSpan[]> | null;
  readonly notes: readonly string[];
}

/** Where test samples are anomalous. */
async function oddities(p: Values, samples: Labelled["samples"], files: Files, split: Split): Promise<Oddities> {
  if (p.anomalies === null || split !== "test") return { spans: null, notes: [] };
  const spans = readAnomalyFile(await files.read(p.anomalies), p.anomalies);
  const known = new Set(samples.map(([path]) => path));
  const strange = [...spans.keys()].filter((path) => !known.has(path));
  if (strange.length > 0 && strange.length === spans.size) {
    throw new DataError(
      `${p.anomalies} names none of the test clips: ${list(strange)}`,
      `Write paths relative to ${p.test ?? p.path}, of folders of frames without a slash at their ends.`,
    );
  }
  const notes = strange.length === 0 ? [] : [`${p.anomalies} names what is no test clip: ${list(strange)}`];
  return { spans, notes };
}

async function open(
  p: Values,
  files: Files,
  split: Split,
  { array, joined: isJoined }: DatasetContext,
): Promise<SampleIndex> {
  const still = p.still === true;
  const contents = contentsFor(array, still);
  if (split === "test" && p.test === null && p.holdout === 0) {
    throw new NoTestData(`${p.path} has no test ${contents.many}`, 'Write test: "..." or holdout: 10% in folder(...).');
  }
  const isTest = split === "test" && p.test !== null;
  const root = isTest ? (p.test as string) : p.path;
  const found = await listFolder(files, root, contents);
  if (found.samples.length === 0) {
    const others = othersNote(found).map((note) => ` (${note})`);
    throw new DataError(
      `${root} holds no ${contents.many}${others.join("")}`,
      `Name a folder with ${contents.formats}.`,
    );
  }
  const grouped = (listing: Listing, folder: string) =>
    groupsOf(listing, folder, { array, stride: p.stride ?? 1, still }, files);
  const { listing, partsOf, clip, isStill } = await grouped(found, root);
  const training = async () => (await grouped(await listFolder(files, p.path, contents), p.path)).listing;
  const all = await labelled(p, listing, files, isTest ? training : null);
  const owned = ofSplit(
    all,
    p,
    split,
    isJoined ? (path) => (partsOf(path) ? path : withoutEnding(path)) : (path) => path,
  );
  if (owned.length === 0) {
    throw new DataError(
      `Holding out a share of ${p.holdout} leaves none of the ${counted(all.samples.length, listing.contents.one)} in ${root} to ${split}`,
      `Change the share, or add ${listing.contents.many}.`,
    );
  }
  const place = isTest ? p.test_maps : p.maps;
  const maps = place === null ? null : await mapFiles(files, place, array);
  const samples = maps ? owned.filter(([path]) => maps.of(path) !== undefined) : owned;
  if (samples.length === 0) {
    throw new DataError(
      `${place} has a map for none of the ${counted(owned.length, listing.contents.one)} in ${root}`,
      `Maps are called as their ${listing.contents.many}, but for the ending.`,
    );
  }
  const { spans, notes } = await oddities(p, samples, files, split);
  return {
    length: samples.length,
    sample(i) {
      const [path, label] = samples[i] as Labelled["samples"][number];
      const named = {
        ...{ path: joined(root, path), within: path, label },
        ...(spans ? { anomalies: spans.get(path) ?? [] } : {}),
      };
      const parts = partsOf(path);
      if (parts) return { kind: "frames", ...named, ...(isStill ? { path: root } : {}), ...parts };
      const map = maps?.of(path);
      return {
        kind: "file",
        ...named,
        ...(clip ? { clip } : {}),
        ...(map === undefined ? {} : { map }),
        ...(p.parts === null ? {} : { property: p.parts }),
      };
    },
    classes: all.classes,
    ...(p.separator === null ? {} : { several: true as const }),
    notes: [
      ...othersNote(listing),
      ...all.notes,
      ...(maps?.note(owned.length - samples.length, listing.contents) ?? []),
      ...notes,
    ],
  };
}

export const folder = defineDataset({
  name: "folder",
  summary:
    "Files with a sample each in a folder, flat or with a sub-folder for each class; of videos and scans, a folder of frames or slices for each.",
  source: "own definition",
  since: "0.1",
  params,
  positional: "path",
  media: ["image", "video", "volume", "spectrogram", "signal", "points", "mesh"],
  requires: [
    {
      name: "stride-of-videos",
      at: "stride",
      doc: "Only of videos a `stride` is written.",
      holds: (p, { array }) => p.stride === null || (storedMedium(array) === "video" && p.still !== true),
      say: (p) =>
        p.still === true
          ? "`stride` leaves out frames, and a still image has none"
          : "`stride` leaves out frames, and the model reads no videos",
      help: (p) => (p.still === true ? "remove `stride`" : "remove `stride`, or write `input video` in the model"),
    },
    stillOfVideos,
    {
      name: "maps-of-places",
      at: "maps",
      doc: "`maps` are of images, volumes or clouds.",
      holds: (p, { array }) => p.maps === null || hasMapFiles(array),
      say: () =>
        "`maps` hold a class for each place of an image, a volume or a cloud, and the model reads none of these",
      help: () => "remove `maps`",
    },
    {
      name: "parts-of-clouds",
      at: "parts",
      doc: "Only of clouds `parts` are written, and no `maps` beside them.",
      holds: (p, { array }) =>
        p.parts === null || (array.cloud !== undefined && p.maps === null && p.test_maps === null),
      say: (p, { array }) =>
        array.cloud
          ? `the part of each point stands in \`${p.maps ?? p.test_maps}\`, so that \`parts\` would not be read`
          : "`parts` are of the points of clouds, and the model reads none",
      help: () => "remove one of both",
    },
    {
      name: "test-maps-need-test",
      at: "test_maps",
      doc: "`test_maps` stands beside `test`.",
      holds: (p) => p.test_maps === null || p.test !== null,
      say: () => "`test_maps` are of the files of the test folder, and there is no `test`",
      help: () => "name the folder: `test`; `maps` holds for what `holdout` keeps too",
    },
    {
      name: "anomalies-of-videos",
      at: "anomalies",
      doc: "Only of videos frames are told to be anomalous.",
      holds: (p, { array }) => p.anomalies === null || mediumOf(array) === "video",
      say: () => "`anomalies` names frames, and the model reads no videos",
      help: () => "tell anomalies by classes: a sub-folder for each, `normal` among them",
    },
    {
      name: "test-or-holdout",
      at: "holdout",
      doc: "Only one of `test` and `holdout` is written.",
      holds: (p) => p.test === null || p.holdout === 0,
      say: () => "the test files come from the test folder, so nothing would be held out",
      help: () => "remove one of `test` and `holdout`",
    },
    {
      name: "test-labels-need-test",
      at: "test_labels",
      doc: "`test_labels` stands beside `test`.",
      holds: (p) => p.test_labels === null || p.test !== null,
      say: () => "`test_labels` says what the files of the test folder show, and there is no `test`",
      help: () => "name the folder: `test`; `labels` holds for what `holdout` keeps too",
    },
    {
      name: "header-of-records",
      at: "header",
      doc: "Only of signals a `header` is written, and no table of labels beside it.",
      holds: (p, { array }) =>
        p.header === null || (mediumOf(array) === "signal" && p.labels === null && p.test_labels === null),
      say: (p, { array }) =>
        mediumOf(array) === "signal"
          ? `labels come from \`${p.labels ?? p.test_labels}\`, so headers would not be read`
          : "`header` reads labels from headers of records, and the model reads no signals",
      help: () => "remove `header`, or the tables of labels",
    },
    {
      name: "some-separator",
      at: "separator",
      doc: "What stands between labels is not empty.",
      holds: (p) => p.separator !== "",
      say: () => "nothing stands between labels, so they cannot be told apart",
      help: () => 'write what stands there: `separator: "|"`',
    },
  ],
  open,
});

/** 32 well-mixed bits of a text's UTF-8 bytes: FNV-1a, then the finalizer of MurmurHash3. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) bits = Math.imul(bits ^ byte, 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * Whether the image at `path`, relative to its folder, belongs to the held-out share: decided by its path alone, so that adding images moves
 * no other.
 */
export const isHeldOut = (path: string, share: number): boolean => hash(path) < share * 2 ** 32;

/**
 * A folder of files with a sample each, flat or with a sub-folder for each class: images, sounds, records of signals, scans; where clips
 * or slices are read, a folder for each in their place.
 */

import { invariant } from "../../graph/index.js";
import { type ArrayShape, mediumOf } from "../arrays.js";
import { int, optional, ratio, text, type ValuesOf } from "../params.js";
import { counted } from "../wording.js";
import { checkClasses } from "./classes.js";
import { clipsOf } from "./clips.js";
import {
  type ArraySample,
  DataError,
  type DatasetContext,
  defineDataset,
  type Files,
  type SampleIndex,
  type Split,
  withoutEnding,
} from "./contract.js";
import { readLabelFile } from "./label-file.js";
import { type Contents, contentsOf, joined, type Listing, listFolder, othersNote } from "./listing.js";
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
  labels: optional(
    text({
      doc: "CSV file with columns `path` and `label`, paths relative to the folder; if absent, labels are the sub-folders.",
    }),
  ),
  test_labels: optional(
    text({ doc: "The same for the test folder; if absent, labels of its files are the sub-folders." }),
  ),
};

type Values = ValuesOf<typeof params>;

interface Labelled {
  /** Path relative to the folder, and label. */
  readonly samples: readonly (readonly [path: string, label: number | null])[];
  readonly classes: readonly string[];
  readonly notes: readonly string[];
}

const list = (names: readonly string[]): string =>
  names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");

const classFolder = (path: string): string | null => (path.includes("/") ? (path.split("/")[0] as string) : null);

/** Without sub-folders of samples, all are unlabelled. */
const unlabelled = ({ contents, samples, folders }: Listing): Labelled => ({
  samples: samples.map((path) => [path, null]),
  classes: [],
  notes:
    folders.length === 0
      ? []
      : [`passed over ${counted(folders.length, "folder")} without ${contents.many}: ${list(folders)}`],
});

/** First-level folders are the classes. `classes`: those of the training folder; null: this is the training folder. */
function byFolder(listing: Listing, root: string, classes: readonly string[] | null): Labelled {
  const { one, many } = listing.contents;
  const filled = new Set(listing.samples.map(classFolder));
  const known = classes ?? listing.folders;
  const empty = classes === null ? known.filter((name) => !filled.has(name)) : [];
  if (empty.length > 0) {
    throw new DataError(
      `${root} has class folders without ${many}: ${list(empty)}`,
      `Put ${many} into them or remove them; each folder counts as a class.`,
    );
  }
  const strange = listing.folders.filter((name) => filled.has(name) && !known.includes(name));
  if (strange.length > 0) throw strangeClasses(`${root} has class folders`, strange);
  checkClasses(known, root);
  const labels = new Map(known.map((name, label) => [name, label]));
  const samples = listing.samples.flatMap((path) => {
    const label = labels.get(classFolder(path) ?? "");
    return label === undefined ? [] : [[path, label] as const];
  });
  const loose = listing.samples.length - samples.length;
  const note = `left out ${counted(loose, one)} beside the class folders, which have no class`;
  return { samples, classes: known, notes: loose === 0 ? [] : [note] };
}

const strangeClasses = (what: string, strange: readonly string[]): DataError =>
  new DataError(
    `${what} that the training data lack: ${list(strange)}`,
    "Classes have the same names in training and test data.",
  );

const classesIn = (labels: ReadonlyMap<string, string>): readonly string[] => [...new Set(labels.values())].sort();

/** `known`: classes of the training data; null: these are they. */
async function byFile(
  listing: Listing,
  files: Files,
  { root, file, known }: { readonly root: string; readonly file: string; readonly known: readonly string[] | null },
): Promise<Labelled> {
  const { one, many } = listing.contents;
  const labels = readLabelFile(await files.read(file), file);
  const classes = known ?? classesIn(labels);
  checkClasses(classes, file);
  const numbers = new Map(classes.map((name, label) => [name, label]));
  const strange = classesIn(labels).filter((name) => !numbers.has(name));
  if (strange.length > 0) throw strangeClasses(`${file} names classes`, strange);
  const samples = listing.samples.flatMap((path) => {
    // Tables of records name them without the ending of their headers.
    const label = numbers.get(labels.get(path) ?? labels.get(withoutEnding(path)) ?? "");
    return label === undefined ? [] : [[path, label] as const];
  });
  if (samples.length === 0) {
    throw new DataError(`${file} names none of the ${many} in ${root}`, `Write paths relative to ${root}.`);
  }
  const without = listing.samples.length - samples.length;
  const missing = labels.size - samples.length;
  return {
    samples,
    classes,
    notes: [
      ...(without === 0 ? [] : [`left out ${counted(without, one)} that ${file} does not name`]),
      ...(missing === 0 ? [] : [`${file} names ${counted(missing, one)} that ${root} does not have`]),
    ],
  };
}

/** What files of the model's input hold, which the checker lets through. */
function contentsFor(array: ArrayShape): Contents {
  const medium = mediumOf(array);
  const contents = medium === null ? undefined : contentsOf[medium];
  invariant(contents, "a folder of what no file holds");
  return contents;
}

/** `isTest`: of the folder of test samples. */
async function labelled(p: Values, listing: Listing, files: Files, isTest: boolean): Promise<Labelled> {
  const [root, file] = isTest ? [p.test ?? p.path, p.test_labels] : [p.path, p.labels];
  const known = isTest ? await trainingClasses(p, files) : null;
  if (file !== null) return byFile(listing, files, { root, file, known });
  if (listing.samples.some((path) => classFolder(path) !== null)) return byFolder(listing, root, known);
  return unlabelled(listing);
}

async function trainingClasses(p: Values, files: Files): Promise<readonly string[]> {
  if (p.labels !== null) return classesIn(readLabelFile(await files.read(p.labels), p.labels));
  const folders = (await files.list(p.path)).filter((name) => /^[^.].*\/$/.test(name));
  return folders.map((name) => name.slice(0, -1)).sort();
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
}

async function groupsOf(
  found: Listing,
  root: string,
  { array, stride }: { array: ArrayShape; stride: number },
  files: Files,
): Promise<Grouped> {
  const [time] = array.axes;
  if (mediumOf(array) === "video" && time) {
    const { listing, framesOf } = await clipsOf(found, root, { frames: time.size, stride }, files);
    const clip = { count: time.size, stride };
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

async function open(
  p: Values,
  files: Files,
  split: Split,
  { array, joined: isJoined }: DatasetContext,
): Promise<SampleIndex> {
  const contents = contentsFor(array);
  if (split === "test" && p.test === null && p.holdout === 0) {
    throw new DataError(`${p.path} has no test ${contents.many}`, 'Write test: "..." or holdout: 10% in folder(...).');
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
  const { listing, partsOf, clip } = await groupsOf(found, root, { array, stride: p.stride ?? 1 }, files);
  const all = await labelled(p, listing, files, isTest);
  const samples = ofSplit(
    all,
    p,
    split,
    isJoined ? (path) => (partsOf(path) ? path : withoutEnding(path)) : (path) => path,
  );
  if (samples.length === 0) {
    throw new DataError(
      `Holding out a share of ${p.holdout} leaves none of the ${counted(all.samples.length, listing.contents.one)} in ${root} to ${split}`,
      `Change the share, or add ${listing.contents.many}.`,
    );
  }
  return {
    length: samples.length,
    sample(i) {
      const [path, label] = samples[i] as Labelled["samples"][number];
      const place = { path: joined(root, path), within: path, label };
      const parts = partsOf(path);
      if (parts) return { kind: "frames", ...place, ...parts };
      return { kind: "file", ...place, ...(clip ? { clip } : {}) };
    },
    classes: all.classes,
    notes: [...othersNote(listing), ...all.notes],
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
  media: ["image", "video", "volume", "spectrogram", "signal"],
  requires: [
    {
      name: "stride-of-videos",
      at: "stride",
      doc: "Only of videos a `stride` is written.",
      holds: (p, { array }) => p.stride === null || mediumOf(array) === "video",
      say: () => "`stride` leaves out frames, and the model reads no videos",
      help: () => "remove `stride`, or write `input video` in the model",
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

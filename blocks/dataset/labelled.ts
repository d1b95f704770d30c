/**
 * Labels of the files in a folder: by a table, by the headers of records, or by sub-folders; one of each file, or where a
 * separator is given any number.
 */

import { counted } from "../wording.js";
import { checkClasses } from "./classes.js";
import { DataError, type Files, type Label, withoutEnding } from "./contract.js";
import { readLabelFile } from "./label-file.js";
import { joined, type Listing } from "./listing.js";

/** Where labels of a folder and of its test folder are written. */
interface LabelSources {
  readonly path: string;
  readonly test: string | null;
  readonly labels: string | null;
  readonly test_labels: string | null;
  readonly header: string | null;
  readonly separator: string | null;
}

export interface Labelled {
  /** Path relative to the folder, and label. */
  readonly samples: readonly (readonly [path: string, label: Label | null])[];
  readonly classes: readonly string[];
  readonly notes: readonly string[];
}

/** What is written of files, by path. */
interface Written {
  readonly labels: ReadonlyMap<string, string>;
  /** What says so. */
  readonly source: string;
}

/** The first few of some names. */
export const list = (names: readonly string[]): string =>
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
  checkClasses(known.length, root);
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

/** The names in what is written of one file. */
const namesIn = (written: string, separator: string | null): readonly string[] =>
  separator === null
    ? [written]
    : written
        .split(separator)
        .map((name) => name.trim())
        .filter((name) => name !== "");

const classesIn = ({ labels }: Written, separator: string | null): readonly string[] =>
  [...new Set([...labels.values()].flatMap((written) => namesIn(written, separator)))].sort();

/** `known`: classes of the training data; null: these are they. */
function byText(
  listing: Listing,
  written: Written,
  { root, separator, known }: { root: string; separator: string | null; known: readonly string[] | null },
): Labelled {
  const { one, many } = listing.contents;
  const { labels, source } = written;
  const classes = known ?? classesIn(written, separator);
  checkClasses(classes.length, source);
  const numbers = new Map(classes.map((name, label) => [name, label]));
  const strange = classesIn(written, separator).filter((name) => !numbers.has(name));
  if (strange.length > 0) throw strangeClasses(`${source} names classes`, strange);
  const samples = listing.samples.flatMap((path) => {
    // Tables of records name them without the ending of their headers.
    const own = labels.get(path) ?? labels.get(withoutEnding(path));
    if (own === undefined) return [];
    const several = [...new Set(namesIn(own, separator))].map((name) => numbers.get(name) as number);
    return [[path, separator === null ? (several[0] as number) : several.sort((a, b) => a - b)] as const];
  });
  if (samples.length === 0) {
    throw new DataError(`${source} names none of the ${many} in ${root}`, `Write paths relative to ${root}.`);
  }
  const without = listing.samples.length - samples.length;
  const missing = labels.size - samples.length;
  return {
    samples,
    classes,
    notes: [
      ...(without === 0 ? [] : [`left out ${counted(without, one)} that ${source} does not name`]),
      ...(missing === 0 ? [] : [`${source} names ${counted(missing, one)} that ${root} does not have`]),
    ],
  };
}

/** What comments of WFDB headers say behind a name: `#Dx: 426783006,59118001`. */
async function readHeaders(listing: Listing, root: string, name: string, files: Files): Promise<Written> {
  const labels = new Map<string, string>();
  for (const path of listing.samples.filter((one) => one.toLowerCase().endsWith(".hea"))) {
    const lines = new TextDecoder().decode(await files.read(joined(root, path))).split(/\r?\n/);
    const comments = lines.map((line) => /^#\s*([^:]*?)\s*:(.*)$/.exec(line));
    const own = comments.find((comment) => comment?.[1] === name)?.[2]?.trim();
    if (own !== undefined) labels.set(path, own);
  }
  if (labels.size > 0) return { labels, source: `the line #${name}: of headers` };
  throw new DataError(
    `No header of the records in ${root} has a line that begins with #${name}:`,
    "Look into a .hea file: `header` names what stands between # and the colon.",
  );
}

/** Labels as the names of sub-folders, which are split; null: there are none. */
function readFolders({ samples }: Listing, root: string): Written | null {
  const named = samples.map((path) => [path, classFolder(path)] as const);
  const labels = new Map(named.filter((entry): entry is readonly [string, string] => entry[1] !== null));
  return labels.size === 0 ? null : { labels, source: `the sub-folders of ${root}` };
}

/** What a folder's labels are written in; null: in its sub-folders, one for each class, or nowhere. */
async function writtenOf(
  p: LabelSources,
  listing: () => Promise<Listing>,
  files: Files,
  { root, file }: { readonly root: string; readonly file: string | null },
): Promise<Written | null> {
  if (file !== null) {
    return { labels: readLabelFile(await files.read(file), file, p.separator !== null), source: file };
  }
  if (p.header !== null) return readHeaders(await listing(), root, p.header, files);
  return p.separator === null ? null : readFolders(await listing(), root);
}

/** `training`: of a test folder, what lies in the training folder; null: `listing` is of that. */
export async function labelled(
  p: LabelSources,
  listing: Listing,
  files: Files,
  training: (() => Promise<Listing>) | null,
): Promise<Labelled> {
  const [root, file] = training ? [p.test ?? p.path, p.test_labels] : [p.path, p.labels];
  const trained = training ? await trainingClasses(p, files, training) : [];
  const written = await writtenOf(p, async () => listing, files, { root, file });
  const read = (known: readonly string[] | null): Labelled => {
    if (written) return byText(listing, written, { root, separator: p.separator, known });
    if (listing.samples.some((path) => classFolder(path) !== null)) return byFolder(listing, root, known);
    return unlabelled(listing);
  };
  if (trained.length >= 2) return read(trained);
  // Where training samples are all of one kind, test samples have classes of their own, that one among them: usual ones and anomalies.
  const own = read(null);
  return trained.every((name) => own.classes.includes(name)) ? own : read(trained);
}

async function trainingClasses(
  p: LabelSources,
  files: Files,
  training: () => Promise<Listing>,
): Promise<readonly string[]> {
  const written = await writtenOf(p, training, files, { root: p.path, file: p.labels });
  if (written) return classesIn(written, p.separator);
  const folders = (await files.list(p.path)).filter((name) => /^[^.].*\/$/.test(name));
  return folders.map((name) => name.slice(0, -1)).sort();
}

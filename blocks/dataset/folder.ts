/** A folder of image files, flat or with a sub-folder for each class; where clips are read, a folder for each in their place. */

import { type ArrayShape, mediumOf } from "../arrays.js";
import { counted } from "../counts.js";
import { int, optional, ratio, text, type ValuesOf } from "../params.js";
import { checkClasses } from "./classes.js";
import { type Clips, clipsOf } from "./clips.js";
import { DataError, type DatasetContext, defineDataset, type Files, type SampleIndex, type Split } from "./contract.js";
import { isHeldOut } from "./holdout.js";
import { readLabelFile } from "./label-file.js";
import { joined, type Listing, listFolder, othersNote } from "./listing.js";

const params = {
  path: text({ doc: "The folder." }),
  test: optional(text({ doc: "Folder with the test images, with the same class sub-folders." })),
  holdout: ratio({
    max: 0.9,
    default: 0,
    doc: "Share of the images kept for the test split, chosen by their paths alone.",
  }),
  stride: optional(
    int({ min: 1, max: 65_536, doc: "Of a video, every how manieth frame is taken; absent: each of them." }),
  ),
  labels: optional(
    text({
      doc: "CSV file with a line `path,label` for each image, paths relative to the folder; absent: labels are the sub-folders.",
    }),
  ),
};

type Values = ValuesOf<typeof params>;

interface Labelled {
  /** Path relative to the folder, and label. */
  readonly images: readonly (readonly [path: string, label: number | null])[];
  readonly classes: readonly string[];
  readonly notes: readonly string[];
}

const list = (names: readonly string[]): string =>
  names.slice(0, 5).join(", ") + (names.length > 5 ? ` and ${names.length - 5} more` : "");

const classFolder = (path: string): string | null => (path.includes("/") ? (path.split("/")[0] as string) : null);

/** Without sub-folders of images, all are unlabelled. */
const unlabelled = ({ images, folders }: Listing): Labelled => ({
  images: images.map((path) => [path, null]),
  classes: [],
  notes:
    folders.length === 0 ? [] : [`passed over ${counted(folders.length, "folder")} without images: ${list(folders)}`],
});

/** First-level folders are the classes. `classes`: those of the training folder; null: this is the training folder. */
function byFolder(listing: Listing, root: string, classes: readonly string[] | null): Labelled {
  const filled = new Set(listing.images.map(classFolder));
  const known = classes ?? listing.folders;
  const empty = classes === null ? known.filter((name) => !filled.has(name)) : [];
  if (empty.length > 0) {
    throw new DataError(
      `${root} has class folders without images: ${list(empty)}`,
      "Put images into them or remove them; each folder counts as a class.",
    );
  }
  const strange = listing.folders.filter((name) => filled.has(name) && !known.includes(name));
  if (strange.length > 0) {
    throw new DataError(
      `${root} has class folders that the training folder lacks: ${list(strange)}`,
      "Class folders have the same names in both.",
    );
  }
  checkClasses(known, root);
  const labels = new Map(known.map((name, label) => [name, label]));
  const images = listing.images.flatMap((path) => {
    const label = labels.get(classFolder(path) ?? "");
    return label === undefined ? [] : [[path, label] as const];
  });
  const loose = listing.images.length - images.length;
  const note = `left out ${counted(loose, listing.what)} beside the class folders, which have no class`;
  return { images, classes: known, notes: loose === 0 ? [] : [note] };
}

async function byFile(listing: Listing, files: Files, root: string, file: string): Promise<Labelled> {
  const labels = readLabelFile(await files.read(file), file);
  const classes = [...new Set(labels.values())].sort();
  checkClasses(classes, file);
  const numbers = new Map(classes.map((name, label) => [name, label]));
  const images = listing.images.flatMap((path) => {
    const label = numbers.get(labels.get(path) ?? "");
    return label === undefined ? [] : [[path, label] as const];
  });
  if (images.length === 0) {
    throw new DataError(`${file} names none of the images in ${root}`, `Write paths relative to ${root}.`);
  }
  const without = listing.images.length - images.length;
  const missing = labels.size - images.length;
  return {
    images,
    classes,
    notes: [
      ...(without === 0 ? [] : [`left out ${counted(without, listing.what)} that ${file} does not name`]),
      ...(missing === 0 ? [] : [`${file} names ${counted(missing, listing.what)} that ${root} does not have`]),
    ],
  };
}

async function labelled(p: Values, listing: Listing, root: string, files: Files): Promise<Labelled> {
  if (p.labels !== null) return byFile(listing, files, root, p.labels);
  if (listing.images.every((path) => classFolder(path) === null)) return unlabelled(listing);
  const names = root === p.path ? null : (await files.list(p.path)).filter((name) => /^[^.].*\/$/.test(name));
  return byFolder(listing, root, names === null ? null : names.map((name) => name.slice(0, -1)).sort());
}

/** The images of a split; all of them where the folder has one split only. */
function ofSplit({ images }: Labelled, p: Values, split: Split): Labelled["images"] {
  if (p.holdout === 0) return images;
  return images.filter(([path]) => isHeldOut(path, p.holdout) === (split === "test"));
}

/** What the model reads of a clip; null: it reads images. */
function clipOf(array: ArrayShape, { stride }: Values): { readonly frames: number; readonly stride: number } | null {
  const [time] = array.axes;
  return mediumOf(array) === "video" && time ? { frames: time.size, stride: stride ?? 1 } : null;
}

async function open(p: Values, files: Files, split: Split, { array }: DatasetContext): Promise<SampleIndex> {
  if (split === "test" && p.test === null && p.holdout === 0) {
    throw new DataError(`${p.path} has no test images`, 'Write test: "..." or holdout: 10% in folder(...).');
  }
  const root = split === "test" ? (p.test ?? p.path) : p.path;
  const found = await listFolder(files, root);
  if (found.images.length === 0) {
    const others = othersNote(found).map((note) => ` (${note})`);
    throw new DataError(
      `${root} holds no images${others.join("")}`,
      "Name a folder with .jpg, .png, .webp, .gif, .tiff or .avif files.",
    );
  }
  const wanted = clipOf(array, p);
  const clips: Clips | null = wanted && clipsOf(found, root, wanted);
  const listing = clips?.listing ?? found;
  const all = await labelled(p, listing, root, files);
  const images = ofSplit(all, p, split);
  if (images.length === 0) {
    throw new DataError(
      `Holding out a share of ${p.holdout} leaves none of the ${counted(all.images.length, listing.what)} in ${root} to ${split}`,
      "Change the share, or add images.",
    );
  }
  return {
    length: images.length,
    sample(i) {
      const [path, label] = images[i] as Labelled["images"][number];
      const place = { path: joined(root, path), within: path, label };
      if (!clips || !wanted) return { kind: "file", ...place };
      return { kind: "frames", ...place, names: clips.framesOf(path), count: wanted.frames, stride: wanted.stride };
    },
    classes: all.classes,
    notes: [...othersNote(listing), ...all.notes],
  };
}

export const folder = defineDataset({
  name: "folder",
  summary:
    "Image files in a folder, flat or with a sub-folder for each class; of a video, a folder of frames for each clip.",
  source: "own definition",
  since: "0.1",
  params,
  positional: "path",
  media: ["image", "video"],
  requires: [
    {
      name: "stride-of-videos",
      at: "stride",
      doc: "Only of videos a `stride` is written.",
      holds: (p, { array }) => p.stride === null || mediumOf(array) === "video",
      say: () => "`stride` leaves out frames, and the model reads images",
      help: () => "remove `stride`, or write `input video` in the model",
    },
    {
      name: "test-or-holdout",
      at: "holdout",
      doc: "Only one of `test` and `holdout` is written.",
      holds: (p) => p.test === null || p.holdout === 0,
      say: () => "the test images come from the test folder, so nothing would be held out",
      help: () => "remove one of `test` and `holdout`",
    },
    {
      name: "labels-or-test",
      at: "labels",
      doc: "Only one of `labels` and `test` is written: the file's paths belong to one folder.",
      holds: (p) => p.labels === null || p.test === null,
      say: () => "a label file names the images of one folder, and there is a test folder too",
      help: () => "put all images into one folder and write `holdout: 10%`",
    },
  ],
  open,
});

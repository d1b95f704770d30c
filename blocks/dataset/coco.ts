/** Images with objects: a folder of files and a COCO JSON file that names boxes and outlines in them. */

import type { Annotated, ImageObject } from "../detection/objects.js";
import { optional, ratio, text } from "../params.js";
import { counted, grouped } from "../wording.js";
import { checkClasses } from "./classes.js";
import { DataError, defineDataset, NoTestData, type SampleIndex } from "./contract.js";
import { isHeldOut } from "./folder.js";
import { joined } from "./listing.js";

export const coco = defineDataset({
  name: "coco",
  summary: "Images with objects in them: a folder of images and a JSON file in the format of COCO.",
  source: "Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014; cocodataset.org/#format-data",
  since: "0.1",
  params: {
    images: text({ doc: "Folder of the training images." }),
    annotations: text({ doc: "JSON file with `images`, `annotations` and `categories`." }),
    test_images: optional(text({ doc: "Folder of the test images; if absent, that of the training images." })),
    test_annotations: optional(text({ doc: "The same file for the test images." })),
    holdout: ratio({
      max: 0.9,
      default: 0,
      doc: "Share of the images kept for the test split, chosen by their paths.",
    }),
  },
  positional: "images",
  media: ["image"],
  requires: [
    {
      name: "test-or-holdout",
      at: "holdout",
      doc: "Only one of `test_annotations` and `holdout` is written.",
      holds: (p) => p.test_annotations === null || p.holdout === 0,
      say: () => "the test images have annotations of their own, so nothing would be held out",
      help: () => "remove one of `test_annotations` and `holdout`",
    },
    {
      name: "test-images-need-annotations",
      at: "test_images",
      doc: "`test_images` stands beside `test_annotations`.",
      holds: (p) => p.test_images === null || p.test_annotations !== null,
      say: () => "nothing says which objects are in the test images",
      help: () => "name their file: `test_annotations`",
    },
  ],
  async open(p, files, split) {
    const isTest = split === "test" && p.test_annotations !== null;
    if (split === "test" && !isTest && p.holdout === 0) {
      throw new NoTestData(
        `${p.images} has no test images`,
        'Write test_annotations: "..." or holdout: 10% in coco(...).',
      );
    }
    const [folder, file] = isTest ? [p.test_images ?? p.images, p.test_annotations ?? ""] : [p.images, p.annotations];
    const training = parsed(await files.read(p.annotations), p.annotations);
    const known = categoriesIn(training, p.annotations);
    const document = isTest ? parsed(await files.read(file), file) : training;
    const all = imagesIn(document, file, known);
    const images = p.holdout === 0 ? all : all.filter(({ path }) => isHeldOut(path, p.holdout) === (split === "test"));
    if (images.length === 0) {
      throw new DataError(
        `${file} names no images${all.length === 0 ? "" : ` that a share of ${p.holdout} leaves to ${split}`}`,
        "Name a file with some, or change the share.",
      );
    }
    return indexOf(images, folder, known.names);
  },
});

interface NamedImage {
  /** Within the folder. */
  readonly path: string;
  readonly annotated: Annotated;
}

function indexOf(images: readonly NamedImage[], folder: string, classes: readonly string[]): SampleIndex {
  const empty = images.filter(({ annotated }) => annotated.objects.length === 0).length;
  return {
    length: images.length,
    sample(i) {
      const { path, annotated } = images[i] as NamedImage;
      return { kind: "file", path: joined(folder, path), within: path, label: null, annotated };
    },
    classes,
    notes: empty === 0 ? [] : [`${grouped(empty)} of ${counted(images.length, "image")} have no objects`],
  };
}

type Json = Readonly<Record<string, unknown>>;

function parsed(bytes: Uint8Array, file: string): Json {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof value === "object" && value !== null) return value as Json;
  } catch {
    // Said below.
  }
  throw new DataError(`${file} is no JSON object`, "Name a file of annotations in the format of COCO.");
}

function listIn(document: Json, name: string, file: string): readonly Json[] {
  const list = document[name];
  if (Array.isArray(list) && list.every((one) => typeof one === "object" && one !== null))
    return list as readonly Json[];
  throw new DataError(
    `${file} has no list \`${name}\``,
    "A file in the format of COCO has images, annotations and categories.",
  );
}

const wrong = (file: string, what: string): DataError =>
  new DataError(`${file}: ${what}`, "Mend the file, or leave that entry out.");

interface Categories {
  /** In the order of their numbers. */
  readonly names: readonly string[];
  /** Class by the file's number of it. */
  readonly classes: ReadonlyMap<unknown, number>;
}

function categoriesIn(document: Json, file: string): Categories {
  const listed = listIn(document, "categories", file).map(({ id, name }) => ({ id, name }));
  if (!listed.every(({ id, name }) => Number.isInteger(id) && typeof name === "string")) {
    throw wrong(file, "a category has no whole number as `id`, or no `name`");
  }
  const sorted = [...listed].sort((a, b) => (a.id as number) - (b.id as number));
  const names = sorted.map(({ name }) => name as string);
  checkClasses(names.length, file);
  const classes = new Map(sorted.map(({ id }, i) => [id, i]));
  if (classes.size !== names.length) throw wrong(file, "two categories have one `id`");
  return { names, classes };
}

const isLength = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value) && value > 0;

function imagesIn(document: Json, file: string, { classes }: Categories): readonly NamedImage[] {
  const objects = new Map<unknown, ImageObject[]>();
  const images = listIn(document, "images", file).map((image) => {
    const { id, file_name: path, height, width } = image;
    if (typeof path !== "string" || path === "" || !isLength(height) || !isLength(width)) {
      throw wrong(file, `image ${shown(id)} has no \`file_name\`, \`height\` and \`width\``);
    }
    if (path.startsWith("/") || path.split(/[/\\]/).includes("..")) {
      throw wrong(file, `${shown(path)} leads out of the folder of images`);
    }
    if (objects.has(id)) throw wrong(file, `two images have the id ${shown(id)}`);
    const own: ImageObject[] = [];
    objects.set(id, own);
    return { id: Number(id), path, annotated: { size: { height, width }, objects: own } };
  });
  for (const annotation of listIn(document, "annotations", file)) {
    const own = objects.get(annotation.image_id);
    const category = classes.get(annotation.category_id);
    if (!own)
      throw wrong(
        file,
        `annotation ${shown(annotation.id)} is of an image that is not named: ${shown(annotation.image_id)}`,
      );
    if (category === undefined) {
      throw wrong(
        file,
        `annotation ${shown(annotation.id)} is of a category that the training data lack: ${shown(annotation.category_id)}`,
      );
    }
    own.push(objectOf(annotation, category, file));
  }
  return images.sort((a, b) => a.id - b.id).map(({ path, annotated }) => ({ path, annotated }));
}

const shown = (value: unknown): string => JSON.stringify(value)?.slice(0, 40) ?? "undefined";

const isNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.every((one) => typeof one === "number" && Number.isFinite(one));

/** Runs of a region are of a crowd, whose box is enough to leave it out. */
function objectOf({ id, bbox, segmentation, area, iscrowd }: Json, category: number, file: string): ImageObject {
  if (!isNumbers(bbox) || bbox.length !== 4 || (bbox[2] as number) < 0 || (bbox[3] as number) < 0) {
    throw wrong(file, `annotation ${shown(id)} has no \`bbox\` of x, y, width and height`);
  }
  const [x, y, width, height] = bbox as readonly number[] as readonly [number, number, number, number];
  const isOutline = Array.isArray(segmentation) && segmentation.length > 0 && segmentation.every(isNumbers);
  return {
    category,
    box: { x, y, width, height },
    polygons: isOutline ? (segmentation as readonly (readonly number[])[]) : null,
    area: typeof area === "number" && area >= 0 ? area : width * height,
    crowd: iscrowd === 1 || iscrowd === true,
  };
}

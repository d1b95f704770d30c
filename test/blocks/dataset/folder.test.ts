/** Folders of images: what counts as an image and as a class, splits, label files, and the real emoji package. */

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { folder } from "../../../blocks/dataset/index.js";
import { DataError, type Split } from "../../../blocks/index.js";
import { nodeFiles } from "../../../runtime/data/files.js";
import { valuesOf } from "../../support/data.js";
import { filesWith, ofImages } from "./files.js";

const defaults = valuesOf(folder, { path: "data" });

const open = (
  paths: readonly string[],
  values: object = {},
  split: Split = "train",
  texts: Readonly<Record<string, string>> = {},
) =>
  folder.open(
    { ...defaults, ...values },
    filesWith({ ...Object.fromEntries(paths.map((path) => [path, path.endsWith("/") ? "" : path])), ...texts }),
    split,
    ofImages,
  );

/** `path:label` of every sample. */
const samples = (index: Awaited<ReturnType<typeof open>>): readonly string[] =>
  Array.from({ length: index.length }, (_, i) => {
    const sample = index.sample(i);
    return sample.kind === "file" ? `${sample.path}:${sample.label}` : "not a file";
  });

describe("a flat folder", () => {
  test("has unlabelled images in the order of their paths", async () => {
    const index = await open(["data/b.png", "data/a.JPG", "data/C.webp", "data/10.gif", "data/9.tiff"]);
    expect(samples(index)).toEqual([
      "data/10.gif:null",
      "data/9.tiff:null",
      "data/C.webp:null",
      "data/a.JPG:null",
      "data/b.png:null",
    ]);
    expect([index.classes, index.notes]).toEqual([[], []]);
  });
  test("leaves out what cannot be read as an image, and says so; hidden files without a word", async () => {
    const index = await open([
      "data/a.png",
      "data/b.txt",
      "data/c.TXT",
      "data/README",
      "data/old.bmp",
      "data/.DS_Store",
      "data/.cache/x.png",
    ]);
    expect(samples(index)).toEqual(["data/a.png:null"]);
    expect(index.notes).toEqual(["left out 4 files that cannot be read as images: 1 without ending, 1 .bmp, 2 .txt"]);
  });
  test("may have folders without images, and says so", async () => {
    const index = await open(["data/a.png", "data/empty/"]);
    expect(index.notes).toEqual(["passed over 1 folder without images: empty"]);
  });
});

test("a table that names samples, not classes, is refused", async () => {
  const lines = Array.from({ length: 100_001 }, (_, i) => `${i}.png,id${i}`);
  const opened = open(["data/0.png"], { labels: "l.csv" }, "train", { "l.csv": `path,label\n${lines.join("\n")}` });
  await expect(opened).rejects.toMatchObject({
    what: "l.csv holds 100,001 different labels, and at most 100,000 classes are told apart",
  });
});

describe("class folders", () => {
  test("give labels in the order of their names, at any depth", async () => {
    const index = await open(["data/dog/1.png", "data/cat/x/y/2.png", "data/cat/1.png", "data/Emu/1.png"]);
    expect(index.classes).toEqual(["Emu", "cat", "dog"]);
    expect(samples(index)).toEqual([
      "data/Emu/1.png:0",
      "data/cat/1.png:1",
      "data/cat/x/y/2.png:1",
      "data/dog/1.png:2",
    ]);
  });
  test("leave out images beside them, and say so", async () => {
    const index = await open(["data/cat/1.png", "data/cover.png"]);
    expect(samples(index)).toEqual(["data/cat/1.png:0"]);
    expect(index.notes).toEqual(["left out 1 image beside the class folders, which have no class"]);
  });
  test("without images are an error", async () => {
    await expect(open(["data/cat/1.png", "data/dog/", "data/emu/notes.txt"])).rejects.toMatchObject({
      name: "DataError",
      what: "data has class folders without images: dog, emu",
    });
  });
  test("of a test folder take their numbers from the training folder", async () => {
    const paths = ["data/cat/1.png", "data/dog/1.png", "held/dog/7.png"];
    const index = await open(paths, { test: "held" }, "test");
    expect(samples(index)).toEqual(["held/dog/7.png:1"]);
    expect(index.classes).toEqual(["cat", "dog"]);
    await expect(open([...paths, "held/yak/1.png"], { test: "held" }, "test")).rejects.toMatchObject({
      what: "held has class folders that the training data lack: yak",
    });
  });
});

describe("a folder without images", () => {
  test.each([
    [["data/"], "data holds no images"],
    [["data/a.txt"], "data holds no images (left out 1 file that cannot be read as images: 1 .txt)"],
    [["data/cat/", "data/dog/"], "data holds no images"],
  ])("is an error: %s", async (paths, what) => {
    const error = await open(paths).catch((e: unknown) => e);
    expect(error).toBeInstanceOf(DataError);
    expect(error).toMatchObject({ what });
  });
  test("that does not exist is the runtime's error", async () => {
    await expect(open(["other/a.png"])).rejects.toMatchObject({ name: "RunError", code: "run/data" });
  });
});

describe("a held-out share", () => {
  const paths = Array.from({ length: 600 }, (_, i) => `data/${i % 3}/image-${i}.png`);
  test("and the rest are all images, each once", async () => {
    const files = filesWith(Object.fromEntries(paths.map((path) => [path, ""])));
    const values = { ...defaults, holdout: 0.2 };
    const [train, held] = [
      await folder.open(values, files, "train", ofImages),
      await folder.open(values, files, "test", ofImages),
    ];
    const all = [...samples(train), ...samples(held)];
    expect(new Set(all).size).toBe(600);
    expect(all.length).toBe(600);
    // 120 expected, with a deviation of 10.
    expect(Math.abs(held.length - 120)).toBeLessThan(50);
    expect(held.classes).toEqual(["0", "1", "2"]);
    const more = await folder.open({ ...values, holdout: 0.4 }, files, "test", ofImages);
    expect(samples(more)).toEqual(expect.arrayContaining([...samples(held)]));
  });
  test("does not move when images are added", async () => {
    const few = samples(await open(paths.slice(0, 60), { holdout: 0.3 }, "test"));
    const many = samples(await open(paths.slice(0, 90), { holdout: 0.3 }, "test"));
    expect(many).toEqual(expect.arrayContaining([...few]));
    expect(few.length).toBeGreaterThan(0);
  });
  test("that takes or leaves nothing is an error", async () => {
    await expect(open(["data/a.png"], { holdout: 0.01 }, "test")).rejects.toThrow(DataError);
  });
  test("is needed, or a test folder, for a test split", async () => {
    await expect(open(["data/a.png"], {}, "test")).rejects.toMatchObject({ what: "data has no test images" });
  });
  test("excludes a test folder, which labels of test files need", () => {
    const broken = (values: object) =>
      (folder.requires ?? []).filter((r) => !r.holds({ ...defaults, ...values }, ofImages)).map((r) => r.name);
    expect(broken({ test: "held", holdout: 0.1 })).toEqual(["test-or-holdout"]);
    expect(broken({ test: "held", labels: "y.csv" })).toEqual([]);
    expect(broken({ labels: "y.csv", test_labels: "t.csv" })).toEqual(["test-labels-need-test"]);
    expect(broken({ holdout: 0.1, labels: "y.csv" })).toEqual([]);
  });
});

describe("a label file", () => {
  const withLabels = (csv: string, paths = ["data/a.png", "data/b/c.png"]) =>
    open(paths, { labels: "labels.csv" }, "train", { "labels.csv": csv });

  test("labels images by path, whatever their folder", async () => {
    const index = await withLabels('path,label\r\nb/c.png,"ship, ""big"""\r\na.png,air\r\n');
    expect(index.classes).toEqual(["air", 'ship, "big"']);
    expect(samples(index)).toEqual(["data/a.png:0", "data/b/c.png:1"]);
  });
  test("and folder may name different images: said, not hidden", async () => {
    const index = await withLabels("path,label\na.png,air\nz.png,air\n");
    expect(samples(index)).toEqual(["data/a.png:0"]);
    expect(index.notes).toEqual([
      "left out 1 image that labels.csv does not name",
      "labels.csv names 1 image that data does not have",
    ]);
  });
  test.each([
    ["a.png,air\n", "labels.csv does not begin with a line that names the columns path and label"],
    ["path,label\na.png\n", "labels.csv line 2 is not a path and a label: a.png"],
    ["path,label\na.png,\n", "labels.csv line 2 is not a path and a label: a.png,"],
    ["path,label\na.png,x,y\n", "labels.csv line 2 is not a path and a label: a.png,x,y"],
    ['path,label\n"a.png,x\n', 'labels.csv line 2 is not a path and a label: "a.png,x'],
    ["path,label\na.png,x\n\na.png,y\n", "labels.csv line 4 names a.png again"],
    ["path,size,label\na.png,x\n", "labels.csv line 2 is not 3 cells with a path and a label: a.png,x"],
    ["path,label\nq.png,x\n", "labels.csv names none of the images in data"],
  ])("that is wrong is an error: %j", async (csv, what) => {
    await expect(withLabels(csv)).rejects.toMatchObject({ name: "DataError", what });
  });
});

describe("labels and a test folder together", () => {
  const paths = ["data/a.png", "data/b.png", "held/a.png", "held/sea/c.png"];
  const tables = {
    "train.csv": 'path,size,label\na.png,"1,2",sky\nb.png,3,sea\n',
    "test.csv": "label,path\nsea,a.png\nsky,sea/c.png\n",
    "strange.csv": "path,label\na.png,yak\n",
  };
  const both = async (values: object) => {
    const [train, held] = [await open(paths, values, "train", tables), await open(paths, values, "test", tables)];
    expect(held.classes).toEqual(train.classes);
    return [samples(train), samples(held), held.notes] as const;
  };

  test("come each from a table, with columns beside it in any order", async () => {
    const found = await both({ labels: "train.csv", test: "held", test_labels: "test.csv" });
    expect(found).toEqual([["data/a.png:1", "data/b.png:0"], ["held/a.png:0", "held/sea/c.png:1"], []]);
  });

  test("come one from a table, the other from class folders", async () => {
    const [train, held, notes] = await both({ labels: "train.csv", test: "held" });
    expect([train, held]).toEqual([["data/a.png:1", "data/b.png:0"], ["held/sea/c.png:0"]]);
    expect(notes).toEqual(["left out 1 image beside the class folders, which have no class"]);
    const [, other] = await both({ path: "held", test: "data", test_labels: "strange.csv" }).catch((e) => [0, e.what]);
    expect(other).toBe("strange.csv names classes that the training data lack: yak");
  });
});

test("reads the real emoji package", async () => {
  const path = "node_modules/emoji-datasource-google/img/google/64";
  const values = { ...defaults, path, holdout: 0.1 };
  const train = await folder.open(values, nodeFiles("."), "train", ofImages);
  const held = await folder.open(values, nodeFiles("."), "test", ofImages);
  const listed = JSON.parse(
    readFileSync("node_modules/emoji-datasource-google/emoji.json", "utf8"),
  ) as readonly unknown[];
  expect(train.length + held.length).toBeGreaterThan(listed.length);
  expect(Math.abs(held.length / (train.length + held.length) - 0.1)).toBeLessThan(0.02);
  expect([train.notes, train.classes]).toEqual([[], []]);
});

describe("with a separator, a sample has any number of labels", () => {
  const record = (dx: string | null): string => `r 1 100 4\nr.dat 16 200 16 0 0 0 0 I\n${dx === null ? "" : dx}\n`;
  const signals = {
    array: {
      axes: [
        { name: "lead", size: 1 },
        { name: "time", size: 4 },
      ],
      channels: 1,
    },
  } as const;
  const listed = ({ classes, several, ...index }: Awaited<ReturnType<typeof open>>) => ({
    classes,
    several,
    labels: Array.from({ length: index.length }, (_, i) => index.sample(i).label),
  });

  test("in a table, where it may have none", async () => {
    const csv = "path,label\na.png,sun|sea |sun\nb.png,\nc.png,air\n";
    const index = await open(["data/a.png", "data/b.png", "data/c.png"], { labels: "l.csv", separator: "|" }, "train", {
      "l.csv": csv,
    });
    expect(listed(index)).toEqual({ classes: ["air", "sea", "sun"], several: true, labels: [[1, 2], [], [0]] });
  });

  test("in the names of sub-folders, also of test files, whose classes are those of training", async () => {
    const paths = ["data/sea+sun/a.png", "data/sun/b.png", "data/air/c.png", "held/air+sun/d.png", "odd/mud/e.png"];
    const values = { separator: "+", test: "held" };
    expect(listed(await open(paths, values)).labels).toEqual([[0], [1, 2], [2]]);
    expect(listed(await open(paths, values, "test")).labels).toEqual([[0, 2]]);
    await expect(open(paths, { ...values, test: "odd" }, "test")).rejects.toMatchObject({
      what: "the sub-folders of odd names classes that the training data lack: mud",
    });
  });

  test("in headers of records, by the name of a comment", async () => {
    const files = filesWith({
      "data/a.hea": record("#Age: 55\n#Dx: 164889003,59118001"),
      "data/b.hea": record("# Dx : 59118001"),
      "data/c.hea": record(null),
    });
    const p = { ...defaults, header: "Dx", separator: "," };
    const index = await folder.open(p, files, "train", signals);
    expect(listed(index)).toEqual({ classes: ["164889003", "59118001"], several: true, labels: [[0, 1], [1]] });
    expect(index.notes).toEqual(["left out 1 record that the line #Dx: of headers does not name"]);
    const single = await folder.open({ ...p, separator: null, anomalies: null }, files, "train", signals);
    expect(listed(single).classes).toEqual(["164889003,59118001", "59118001"]);
    await expect(folder.open({ ...p, header: "Rx" }, files, "train", signals)).rejects.toMatchObject({
      what: "No header of the records in data has a line that begins with #Rx:",
    });
  });

  test("and what has no meaning there is refused", () => {
    const broken = (values: object, context: typeof signals | typeof ofImages) =>
      (folder.requires ?? []).filter((r) => !r.holds({ ...defaults, ...values }, context)).map((r) => r.name);
    expect(broken({ header: "Dx" }, ofImages)).toEqual(["header-of-records"]);
    expect(broken({ header: "Dx", labels: "l.csv" }, signals)).toEqual(["header-of-records"]);
    expect(broken({ separator: "" }, ofImages)).toEqual(["some-separator"]);
    expect(broken({ header: "Dx", separator: "," }, signals)).toEqual([]);
  });
});

/** COCO files: which images and objects they name, splits, and what is wrong with them. */

import { describe, expect, test } from "vitest";
import { coco } from "../../../blocks/dataset/index.js";
import type { Split } from "../../../blocks/index.js";
import { filesWith, ofImages } from "./files.js";

const document = {
  images: [
    { id: 7, file_name: "b/two.png", height: 40, width: 60 },
    { id: 3, file_name: "one.png", height: 20, width: 30 },
  ],
  categories: [
    { id: 90, name: "tooth brush" },
    { id: 1, name: "person" },
  ],
  annotations: [
    {
      id: 1,
      image_id: 7,
      category_id: 90,
      bbox: [1, 2, 30, 4],
      area: 50,
      iscrowd: 0,
      segmentation: [[1, 2, 31, 2, 31, 6]],
    },
    {
      id: 2,
      image_id: 7,
      category_id: 1,
      bbox: [0, 0, 5, 5],
      iscrowd: 1,
      segmentation: { size: [40, 60], counts: [0, 9] },
    },
  ],
};

const defaults = { images: "data", annotations: "a.json", test_images: null, test_annotations: null, holdout: 0 };

const open = (json: unknown, values: object = {}, split: Split = "train", other: unknown = document) => {
  const texts = { "a.json": typeof json === "string" ? json : JSON.stringify(json), "t.json": JSON.stringify(other) };
  return coco.open({ ...defaults, ...values }, filesWith(texts), split, ofImages);
};

describe("a COCO file", () => {
  test("names images by their ids, with objects of classes in the order of theirs", async () => {
    const index = await open(document);
    expect(index.classes).toEqual(["person", "tooth brush"]);
    expect(index.notes).toEqual(["1 of 2 images have no objects"]);
    expect(index.sample(0)).toMatchObject({ path: "data/one.png", label: null, annotated: { objects: [] } });
    expect(index.sample(1)).toEqual({
      ...{ kind: "file", path: "data/b/two.png", within: "b/two.png", label: null },
      annotated: {
        size: { height: 40, width: 60 },
        objects: [
          {
            category: 1,
            box: { x: 1, y: 2, width: 30, height: 4 },
            polygons: [[1, 2, 31, 2, 31, 6]],
            area: 50,
            crowd: false,
          },
          { category: 0, box: { x: 0, y: 0, width: 5, height: 5 }, polygons: null, area: 25, crowd: true },
        ],
      },
    });
  });

  test("of test images has the classes of the training images", async () => {
    const held = await open(document, { test_annotations: "t.json", test_images: "held" }, "test");
    expect(held.sample(0)).toMatchObject({ path: "held/one.png" });
    const strange = { ...document, annotations: [{ ...document.annotations[0], category_id: 5 }] };
    const opened = open(document, { test_annotations: "t.json" }, "test", strange);
    await expect(opened).rejects.toThrow("a category that the training data lack: 5");
    await expect(open(document, {}, "test")).rejects.toThrow("data has no test images");
  });

  test("may be split by the paths of its images", async () => {
    const images = Array.from({ length: 200 }, (_, id) => ({ id, file_name: `${id}.png`, height: 9, width: 9 }));
    const many = { ...document, images, annotations: [] };
    const [train, held] = [await open(many, { holdout: 0.3 }), await open(many, { holdout: 0.3 }, "test")];
    expect(train.length + held.length).toBe(200);
    expect(Math.abs(held.length - 60)).toBeLessThan(25);
  });

  const [first, second] = document.annotations;
  test.each([
    ["{", "a.json is no JSON object"],
    [{ ...document, images: 3 }, "a.json has no list `images`"],
    [
      { ...document, images: [{ id: 1, file_name: "a.png", height: 0, width: 3 }] },
      "image 1 has no `file_name`, `height` and `width`",
    ],
    [
      { ...document, images: [{ ...document.images[1], file_name: "../../x.png" }] },
      '"../../x.png" leads out of the folder',
    ],
    [{ ...document, images: [document.images[0], document.images[0]] }, "two images have the id 7"],
    [{ ...document, categories: [{ id: "x", name: "y" }] }, "no whole number as `id`"],
    [{ ...document, annotations: [{ ...first, image_id: 4 }] }, "annotation 1 is of an image that is not named: 4"],
    [{ ...document, annotations: [{ ...second, bbox: [0, 0, -1, 4] }] }, "annotation 2 has no `bbox`"],
    [{ ...document, images: [], annotations: [] }, "a.json names no images"],
  ])("that is wrong is an error: %j", async (json, what) => {
    await expect(open(json)).rejects.toThrow(what);
  });
});

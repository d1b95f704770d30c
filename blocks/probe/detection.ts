/** Average precision of what a detector finds, by the rules of COCO. */

import { averagePrecisions, type JudgedImage } from "../detection/average-precision.js";
import { foundIn } from "../detection/dense.js";
import { runsOfPolygons } from "../detection/runs.js";
import { int, ratio } from "../params.js";
import { defineObjectProbe, pause } from "./contract.js";

/** Images between two pauses. */
const atOnce = 20;

export const detection = defineObjectProbe({
  name: "detection",
  summary: "Average precision of boxes and outlines by the rules of COCO, over overlaps, at 50 and 75 %, and by size.",
  source: "Lin et al., Microsoft COCO: Common Objects in Context, ECCV 2014; computed as pycocotools does",
  since: "0.1",
  params: {
    score: ratio({ default: 0.05, doc: "Least share of a class at a place that is looked at." }),
    overlap: ratio({ default: 0.6, doc: "Of two boxes of a class that overlap more, the less sure is left out." }),
    most: int({ min: 1, max: 100, default: 100, doc: "Most objects found in an image." }),
  },
  requires: [
    {
      name: "detector",
      at: null,
      doc: "The model has a head that finds objects.",
      holds: (_, { says }) => says === "objects",
      say: () => "the model finds no objects",
      help: () => "judge its features or classes, or give it a head such as `detector`",
    },
  ],
  async judge(p, images, { detector, image }, tick) {
    const { height, width } = image;
    const hasOutlines = detector.mask > 0;
    const judged: JudgedImage[] = [];
    for (const { prediction, objects } of images) {
      judged.push({
        found: foundIn(prediction, detector, image, p),
        objects: objects.map(({ polygons, ...one }) => ({
          ...one,
          mask: !hasOutlines ? null : runsOfPolygons(polygons ?? [outlineOf(one.box)], height, width),
        })),
      });
      if (judged.length % atOnce === 0) await pause();
      tick?.(judged.length, images.length);
    }
    const { perClass, ...boxes } = averagePrecisions(judged, detector.classes, "box");
    const masks = hasOutlines ? averagePrecisions(judged, detector.classes, "mask") : null;
    const { perClass: masksPerClass, ...outlines } = masks ?? { perClass: null };
    const named = Object.entries(outlines).map(([name, value]) => [`mask_${name}`, value as number]);
    const count = judged.reduce((sum, { found }) => sum + found.length, 0);
    return {
      scores: { ...boxes, ...Object.fromEntries(named) },
      protocol:
        `average precision by the rules of COCO (overlaps 0.5 to 0.95, 101 recalls, at most 100 objects an image): ${count} found in ` +
        `${judged.length} test images, in pixels of the model's input; shares from ${p.score}, boxes of a class that overlap more than ${p.overlap} left out`,
      details: {
        per_class: perClass.map((ap, k) => ({
          ap: known(ap),
          ...(masksPerClass ? { mask_ap: known(masksPerClass[k] as number) } : {}),
        })),
      },
    };
  },
});

/** A box without an outline is all of it. */
const outlineOf = ({
  x,
  y,
  width,
  height,
}: {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}) => [...[x, y, x + width, y], ...[x + width, y + height, x, y + height]];

const known = (value: number): number | null => (Number.isNaN(value) ? null : value);

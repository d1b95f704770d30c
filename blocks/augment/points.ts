/** What is done to clouds of points: brought to one size, stretched, moved and turned. */

import { choice, flag, interval, optional, real } from "../params.js";
import { defineAugment } from "./contract.js";

export const unitSphere = defineAugment({
  name: "unit_sphere",
  summary: "Moves the mean of a cloud to 0 and makes its farthest point lie at a distance of 1.",
  source: "Qi et al., PointNet: Deep Learning on Point Sets, CVPR 2017: `pc_normalize` of its code",
  since: "0.2",
  changes: "points",
  params: {},
  random: false,
  plan: () => [{ kind: "sphere" }],
});

export const randomScale = defineAugment({
  name: "random_scale",
  summary: "Stretches a cloud along each axis, or along all alike, by a random factor.",
  source: "Pang et al., ECCV 2022, section 4.1: `PointcloudScaleAndTranslate` of its code",
  since: "0.2",
  changes: "points",
  params: {
    by: interval({ of: "real", min: 0.01, max: 100, default: [0.6667, 1.5], doc: "Factors, drawn uniformly." }),
    each: flag({ default: true, doc: "Whether each axis has a factor of its own." }),
    normal: optional(
      real({
        min: 0,
        max: 0.3,
        doc: "Factors are normal around 1 with this deviation instead; if absent, uniform in `by`.",
      }),
    ),
  },
  positional: "by",
  random: true,
  plan({ by: [low, high], each, normal }, _current, _context, random) {
    const draw = (): number =>
      normal === null ? low + (high - low) * random.uniform() : Math.max(0.01, 1 + normal * random.normal());
    const first = draw();
    return [{ kind: "scale", by: each ? [first, draw(), draw()] : [first, first, first] }];
  },
});

export const randomBend = defineAugment({
  name: "random_bend",
  summary:
    "Pulls two opposite corners of the box around a shape by a random distance; what is near a corner goes with it.",
  source: "Liang et al., MeshMAE, ECCV 2022, section 4.1; Sederberg and Parry, Free-Form Deformation, SIGGRAPH 1986",
  since: "0.2",
  changes: "points",
  params: {
    most: real({ min: 0, max: 1, default: 0.1, doc: "The largest distance along each axis, as a share of the box." }),
  },
  positional: "most",
  random: true,
  plan({ most }, _current, _context, random) {
    const draw = (): readonly [number, number, number] => [
      most * random.uniform(),
      most * random.uniform(),
      most * random.uniform(),
    ];
    return [{ kind: "bend", low: draw(), high: draw() }];
  },
});

export const randomShift = defineAugment({
  name: "random_shift",
  summary: "Moves a cloud along each axis by a random distance.",
  source: "Pang et al., ECCV 2022, section 4.1: `PointcloudScaleAndTranslate` of its code",
  since: "0.2",
  changes: "points",
  params: { most: real({ min: 0, max: 1000, default: 0.2, doc: "The largest distance, forwards or backwards." }) },
  positional: "most",
  random: true,
  plan({ most }, _current, _context, random) {
    const draw = (): number => most * (2 * random.uniform() - 1);
    return [{ kind: "shift", by: [draw(), draw(), draw()] }];
  },
});

/** The rotation that a quaternion stands for, row by row. */
function rotationOf([w, x, y, z]: readonly [number, number, number, number]): readonly number[] {
  return [
    ...[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
    ...[2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
    ...[2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
  ];
}

const axes = { x: [1, 0, 0], y: [0, 1, 0], z: [0, 0, 1] } as const;

export const randomRotation = defineAugment({
  name: "random_rotation",
  summary: "Turns a cloud by a random angle about an axis, or in any direction.",
  source: "Qi et al., PointNet, CVPR 2017, section 5.1; any direction: Shoemake, Uniform Random Rotations, 1992",
  since: "0.2",
  changes: "points",
  params: {
    about: choice({
      default: "z",
      options: {
        x: "The first axis.",
        y: "The second axis, upwards in ShapeNet.",
        z: "The third axis, upwards in ModelNet.",
        any: "None: all rotations are equally likely.",
      },
      doc: "The axis that stays.",
    }),
  },
  positional: "about",
  random: true,
  plan({ about }, _current, _context, random) {
    if (about !== "any") {
      const half = Math.PI * random.uniform();
      const [x, y, z] = axes[about].map((part) => part * Math.sin(half)) as [number, number, number];
      return [{ kind: "rotate", matrix: rotationOf([Math.cos(half), x, y, z]) }];
    }
    const [share, first, second] = [random.uniform(), 2 * Math.PI * random.uniform(), 2 * Math.PI * random.uniform()];
    const [a, b] = [Math.sqrt(1 - share), Math.sqrt(share)];
    const quaternion = [a * Math.sin(first), a * Math.cos(first), b * Math.sin(second), b * Math.cos(second)] as const;
    return [{ kind: "rotate", matrix: rotationOf(quaternion) }];
  },
});

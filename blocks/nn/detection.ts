/** A dense detector over the map of an encoder: maps of several sizes, towers that they share, and what its places say. */

import type { Builder, Rows, Tensor } from "../../graph/index.js";
import { type Parameter, parameter, type Weights } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";
import {
  type LayerNormParameters,
  type LinearParameters,
  layerNorm,
  layerNormParameters,
  linear,
  linearParameters,
} from "./linear.js";
import { spread } from "./units.js";

type WindowParameters = { readonly weight: Parameter<[number, number, 3, 3]>; readonly bias: Parameter<[number]> };
type NormedWindow = { readonly conv: WindowParameters; readonly norm: LayerNormParameters<number> };
type Finer = { readonly up: LinearParameters<number, number>; readonly norm: LayerNormParameters<number> };
type LevelParameters = {
  /** Each makes a map of twice the sides. */
  readonly finer: readonly Finer[];
  readonly lateral: LinearParameters<number, number>;
  readonly lateral_norm: LayerNormParameters<number>;
  readonly output: NormedWindow;
  /** Factor of distances before they are raised to a power. */
  readonly scale: Parameter<[1]>;
};

export type DetectorParameters = {
  readonly levels: readonly LevelParameters[];
  readonly class_tower: readonly NormedWindow[];
  readonly box_tower: readonly NormedWindow[];
  readonly classes: WindowParameters;
  readonly boxes: WindowParameters;
};

/** Weights of a window of 3 x 3, as FCOS starts them. */
const windowParameters = (inputs: number, outputs: number): WindowParameters => ({
  weight: parameter([outputs, inputs, 3, 3], { kind: "normal", std: 0.01 }),
  bias: parameter([outputs], { kind: "zeros" }),
});

const normedWindow = (inputs: number, outputs: number): NormedWindow => ({
  conv: {
    ...windowParameters(inputs, outputs),
    weight: parameter([outputs, inputs, 3, 3], { kind: "normal", std: Math.sqrt(2 / (9 * inputs)) }),
  },
  norm: layerNormParameters(outputs),
});

interface DetectorSize {
  readonly width: number;
  readonly channels: number;
  readonly classes: number;
  /** Sides of each map beside those of the encoder's: 4, 2, 1 or 0.5. */
  readonly scales: readonly number[];
  readonly depth: number;
  readonly mask: number;
}

/** How often a map is doubled. */
const doublings = (scale: number): number => Math.max(0, Math.round(Math.log2(scale)));

export const detectorParameters = declarer(
  "detectorParameters",
  ({ width, channels, classes, scales, depth, mask }: DetectorSize): DetectorParameters => ({
    levels: scales.map((scale) => {
      const widths = Array.from({ length: doublings(scale) + 1 }, (_, i) =>
        Math.max(channels, Math.floor(width / 2 ** i)),
      );
      return {
        finer: widths.slice(1).map((own, i) => ({
          up: linearParameters(widths[i] as number, 4 * own),
          norm: layerNormParameters(own),
        })),
        lateral: linearParameters(widths.at(-1) as number, channels),
        lateral_norm: layerNormParameters(channels),
        output: normedWindow(channels, channels),
        scale: parameter([1], { kind: "ones" }),
      };
    }),
    class_tower: Array.from({ length: depth }, () => normedWindow(channels, channels)),
    box_tower: Array.from({ length: depth }, () => normedWindow(channels, channels)),
    classes: windowParameters(channels, classes),
    boxes: windowParameters(channels, 5 + mask ** 2),
  }),
);

const around = { strides: [1, 1], before: [1, 1], after: [1, 1], dilations: [1, 1], groups: 1 } as const;

/** x [B, H, W, I] -> [B, H, W, O] */
const windowed = (g: Builder, x: Tensor, w: Weights<WindowParameters>): Tensor =>
  g.add(g.conv(x, w.weight, around), w.bias);

const normed = (g: Builder, x: Tensor, w: Weights<NormedWindow>): Tensor =>
  layerNorm(g, windowed(g, x, w.conv) as Tensor<[Rows, number, number, number]>, w.norm);

/** x [B, H, W, I] -> [B, 2H, 2W, O] */
function doubled(g: Builder, x: Tensor, w: Weights<Finer>): Tensor {
  const joined = spread(g, x, w.up, [2, 2]);
  return layerNorm(g, joined as Tensor<[number, number, number, number]>, w.norm);
}

const halves = { kernel: [2, 2], strides: [2, 2], before: [0, 0], after: [0, 0] } as const;

/** The map of a level from that of the encoder. */
function levelMap(g: Builder, map: Tensor, scale: number, w: Weights<LevelParameters>): Tensor {
  const sized = w.finer.reduce<Tensor>(
    (x, finer, i) => {
      const y = doubled(g, x, finer);
      return i < w.finer.length - 1 ? g.gelu(y) : y;
    },
    scale < 1 ? g.maxPool(map, halves) : map,
  );
  const lateral = layerNorm(g, linear(g, sized as Tensor<[number, number, number, number]>, w.lateral), w.lateral_norm);
  return normed(g, lateral, w.output);
}

/** Share of a class at a place before anything is learned: nearly nothing is an object (Lin et al., Focal Loss, 2017). */
const firstShare = 0.01;
/** Distances are at most e to the power of it, in strides. */
const mostExponent = 6;

/**
 * tokens [B, N, D] of a lattice of rows and columns -> [B, places, classes + 5 + mask^2], level by level in raster order: class logits,
 * distances in strides to the left, up, to the right and down, a logit of centredness, and logits of the cells of the outline.
 */
export const detectDensely = layer(
  "detectDensely",
  <B extends Rows, N extends number, D extends number, L extends number, O extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    w: Weights<DetectorParameters>,
    o: {
      readonly rows: number;
      readonly columns: number;
      readonly scales: readonly number[];
      readonly places: L;
      readonly numbers: O;
    },
  ): Tensor<[B, L, O]> => {
    const [batch, , width] = tokens.shape as readonly [number, number, number];
    const map = g.reshape(tokens, [batch, o.rows, o.columns, width]);
    const said = o.scales.map((scale, i) => {
      const level = w.levels[i] as Weights<LevelParameters>;
      const features = levelMap(g, map, scale, level);
      const tower = (layers: readonly Weights<NormedWindow>[]): Tensor =>
        layers.reduce<Tensor>((x, one) => g.gelu(normed(g, x, one)), features);
      const classes = g.sub(windowed(g, tower(w.class_tower), w.classes), Math.log((1 - firstShare) / firstShare));
      const boxes = windowed(g, tower(w.box_tower), w.boxes);
      const [, rows, columns, others] = boxes.shape as readonly [number, number, number, number];
      const part = (from: number, count: number): Tensor =>
        g.slice(boxes, [0, 0, 0, from], [batch, rows, columns, count]);
      const distances = g.exp(g.minimum(g.mul(part(0, 4), level.scale), mostExponent));
      const whole = g.concat([classes, distances, part(4, others - 4)], 3);
      return g.reshape(whole, [batch, rows * columns, whole.shape[3] as number]);
    });
    return claim(said.length === 1 ? (said[0] as Tensor) : g.concat(said, 1));
  },
);

/**
 * How far what places say, [B, L, classes + 5 + mask^2], is from what they should, [B, L, 6 + mask^2]: focal loss of classes, generalised
 * overlap of boxes weighed by centredness, and cross-entropy of centredness and of outlines; each divided by the places that speak for
 * an object, image by image.
 */
export const detectionLoss = layer(
  "detectionLoss",
  <L extends number, O extends number, T extends number>(
    g: Builder,
    said: Tensor<["B", L, O]>,
    wanted: Tensor<["B", NoInfer<L>, T]>,
    o: { readonly classes: number; readonly alpha: number; readonly gamma: number },
  ): Tensor<[]> => {
    const [batch, places, numbers] = said.shape as readonly number[] as readonly [number, number, number];
    const of = (x: Tensor, from: number, count: number): Tensor => g.slice(x, [0, 0, from], [batch, places, count]);
    const kind = of(wanted, 0, 1); // [B, L, 1]
    const isObject = g.cast(g.less(g.neg(kind), 0.5), "float32");
    const count = g.maximum(g.sum(isObject, [1, 2]), 1); // [B]
    const classes = focal(g, of(said, 0, o.classes), kind, o);
    const centredness = of(wanted, 5, 1);
    const boxes = g.mul(farness(g, of(said, o.classes, 4), of(wanted, 1, 4)), centredness);
    const weight = g.maximum(g.sum(centredness, [1, 2]), 1e-6);
    const centred = g.mul(entropy(g, of(said, o.classes + 4, 1), centredness), isObject);
    const cells = numbers - o.classes - 5;
    const outlines =
      cells === 0
        ? []
        : [g.mul(g.mean(entropy(g, of(said, o.classes + 5, cells), of(wanted, 6, cells)), [2], "keep"), isObject)];
    const perImage = [
      g.div(g.sum(classes, [1, 2]), count),
      g.div(g.sum(boxes, [1, 2]), weight),
      ...[centred, ...outlines].map((error) => g.div(g.sum(error, [1, 2]), count)),
    ];
    return claim(g.mean(perImage.reduce((sum, error) => g.add(sum, error))));
  },
);

/** Binary cross-entropy of sigmoid(logits) to shares. */
const entropy = (g: Builder, logits: Tensor, shares: Tensor): Tensor =>
  g.sub(g.softplus(logits), g.mul(logits, shares));

/** Focal loss of each class at each place, [B, L, K]. `kind`: the number of the class, [B, L, 1]; below zero: none. */
function focal(
  g: Builder,
  logits: Tensor,
  kind: Tensor,
  { alpha, gamma }: { readonly alpha: number; readonly gamma: number },
): Tensor {
  const classes = logits.shape[2] as number;
  const every = g.constant(
    Float32Array.from({ length: classes }, (_, k) => k),
    [1, 1, classes],
  );
  const isOf = g.cast(g.less(g.abs(g.sub(every, kind)), 0.5), "float32"); // [B, L, K]
  const isNot = g.add(g.neg(isOf), 1);
  // The logit of what is true, and the share of what is false: sigmoid(-logit).
  const signed = g.mul(logits, g.sub(g.mul(isOf, 2), 1));
  const wrong = g.exp(g.mul(g.softplus(signed), -gamma));
  const weights = g.add(g.mul(isOf, alpha), g.mul(isNot, 1 - alpha));
  return g.mul(g.mul(weights, wrong), g.softplus(g.neg(signed)));
}

/** 1 - generalised overlap of boxes given by distances from one place, [B, L, 4] -> [B, L, 1] (Rezatofighi et al., CVPR 2019). */
function farness(g: Builder, a: Tensor, b: Tensor): Tensor {
  const [batch, places] = a.shape as readonly [number, number, number];
  const sides = (x: Tensor): readonly [Tensor, Tensor] => {
    // [[left, up], [right, down]]
    const pairs = g.sum(g.reshape(x, [batch, places, 2, 2]), [2]);
    const one = (i: number) => g.slice(pairs, [0, 0, i], [batch, places, 1]);
    return [one(0), one(1)];
  };
  const area = (x: Tensor): Tensor => {
    const [width, height] = sides(x);
    return g.mul(width, height);
  };
  const common = area(g.minimum(a, b));
  const around = area(g.maximum(a, b));
  const together = g.sub(g.add(area(a), area(b)), common);
  const overlap = g.div(common, g.maximum(together, 1e-6));
  return g.add(g.neg(overlap), g.add(g.div(g.sub(around, together), g.maximum(around, 1e-6)), 1));
}

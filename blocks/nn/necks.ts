/**
 * Necks: what heads over maps make of the maps of an encoder before they say something of each place. A plain transformer gives maps of one
 * size, of several of its layers; an encoder of maps those of its strides, the finest first.
 */

import type { Builder, Dims, Rows, Tensor } from "../../graph/index.js";
import type { Parameter, Weights } from "../parameters.js";
import { parameter } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";
import { type LinearParameters, linear } from "./linear.js";
import { averagePlaces, resizePlaces } from "./resize.js";
import {
  convolved,
  instanceNormed,
  type SqueezeParameters,
  spread,
  spreadParameters,
  squeezed,
  squeezeParameters,
  type UnitParameters,
  unit,
  unitParameters,
  units,
  unitsParameters,
  windowKernel,
} from "./units.js";

type AnyMap = Tensor<[Rows, number, number]>;

/** Places of a map along each axis. */
const placesOf = (x: Tensor): number[] => x.shape.slice(1, -1) as number[];

const resized = (g: Builder, x: Tensor, sizes: number[]): Tensor => resizePlaces(g, x as AnyMap, { sizes }) as Tensor;

// -- fully convolutional

export type FcnParameters = { readonly convs: readonly UnitParameters[] };

export const fcnParameters = declarer(
  "fcnParameters",
  (o: { readonly inputs: number; readonly channels: number; readonly depth: number; readonly axes: number }) => ({
    convs: unitsParameters(o.inputs, o.channels, o.depth, o.axes),
  }),
) as (o: {
  readonly inputs: number;
  readonly channels: number;
  readonly depth: number;
  readonly axes: number;
}) => FcnParameters;

/** maps -> [B, ...places, F]: convolutions over the last of them (Long et al., CVPR 2015). */
export const fcnNeck = layer(
  "fcnNeck",
  <B extends Rows, const S extends Dims, const F extends number>(
    g: Builder,
    maps: readonly Tensor[],
    w: Weights<FcnParameters>,
    _: { readonly places: S; readonly features: F },
  ): Tensor<[B, ...S, F]> => claim(units(g, maps.at(-1) as Tensor, w.convs)),
);

// -- a pyramid

/** Of how many places along each axis means are taken of the deepest map. */
const bins = [1, 2, 3, 6];

export type PyramidParameters = {
  /** Of maps of one size: what makes four sizes of them. */
  readonly sized: readonly (readonly LinearParameters<number, number>[])[];
  readonly pooled: readonly UnitParameters[];
  readonly bottleneck: UnitParameters;
  readonly laterals: readonly UnitParameters[];
  readonly outputs: readonly UnitParameters[];
  readonly joined: UnitParameters;
};

interface PyramidSize {
  /** Features of each map. */
  readonly widths: readonly number[];
  readonly channels: number;
  readonly axes: number;
  /** Of maps of one size: by how many doublings each becomes finer; -1: it is halved. */
  readonly doublings: readonly number[];
}

export const pyramidParameters = declarer(
  "pyramidParameters",
  ({ widths, channels, axes, doublings }: PyramidSize): PyramidParameters => {
    const finer = Array.from({ length: axes }, () => 2);
    const deepest = widths.at(-1) as number;
    return {
      sized: doublings.map((count, i) =>
        Array.from({ length: Math.max(0, count) }, () =>
          spreadParameters(widths[i] as number, widths[i] as number, finer),
        ),
      ),
      pooled: bins.map(() => unitParameters(deepest, channels, 1, axes)),
      bottleneck: unitParameters(deepest + bins.length * channels, channels, 3, axes),
      laterals: widths.slice(0, -1).map((width) => unitParameters(width, channels, 1, axes)),
      outputs: widths.slice(0, -1).map(() => unitParameters(channels, channels, 3, axes)),
      joined: unitParameters(widths.length * channels, channels, 3, axes),
    };
  },
);

/** Maps of one size as a pyramid. */
function asPyramid(
  g: Builder,
  maps: readonly Tensor[],
  sized: Weights<PyramidParameters>["sized"],
  doublings: readonly number[],
): readonly Tensor[] {
  return maps.map((map, i) => {
    const steps = sized[i] ?? [];
    if (steps.length === 0 && (doublings[i] ?? 0) >= 0) return map;
    const twice = placesOf(map).map(() => 2);
    if (steps.length === 0)
      return g.maxPool(map, {
        kernel: twice,
        strides: twice,
        before: twice.map(() => 0),
        after: twice.map(() => 0),
      });
    return steps.reduce<Tensor>((x, step, k) => {
      const y = spread(g, x, step, twice);
      return k < steps.length - 1 ? g.gelu(y) : y;
    }, map);
  });
}

/** maps -> [B, ...places, F] of the finest: means over larger and larger parts, and each map added to the finer one (Xiao et al., ECCV 2018: UPerNet). */
export const pyramidNeck = layer(
  "pyramidNeck",
  <B extends Rows, const S extends Dims, const F extends number>(
    g: Builder,
    maps: readonly Tensor[],
    w: Weights<PyramidParameters>,
    o: { readonly places: S; readonly features: F; readonly doublings: readonly number[] },
  ): Tensor<[B, ...S, F]> => {
    const levels = asPyramid(g, maps, w.sized, o.doublings);
    const deepest = levels.at(-1) as Tensor;
    const sizes = placesOf(deepest);
    const axis = deepest.shape.length - 1;
    const pooled = w.pooled.map((one, i) => {
      const means = averagePlaces(g, deepest as AnyMap, { sizes: sizes.map(() => bins[i] as number) });
      return resized(g, unit(g, means as Tensor, one), sizes);
    });
    const start = unit(g, g.concat([deepest, ...pooled], axis), w.bottleneck);
    const down: Tensor[] = [start];
    for (let i = levels.length - 2; i >= 0; i--) {
      const lateral = unit(g, levels[i] as Tensor, w.laterals[i] as Weights<UnitParameters>);
      down.unshift(g.add(lateral, resized(g, down[0] as Tensor, placesOf(lateral))));
    }
    const finest = placesOf(down[0] as Tensor);
    const said = down.map((x, i) => {
      const output = w.outputs[i];
      return resized(g, output ? unit(g, x, output) : x, finest);
    });
    return claim(unit(g, g.concat(said, axis), w.joined));
  },
);

// -- up to every place of the array

/**
 * By what each axis grows, step by step from patches of these sides to single places: the largest first, all together where they are equal.
 */
export function growth(sides: readonly number[]): readonly (readonly number[])[] {
  const steps: number[][] = [];
  let left = [...sides];
  while (left.some((side) => side > 1)) {
    const largest = Math.max(...left);
    const step = left.map((side) => (side === largest ? 2 : 1));
    steps.push(step);
    left = left.map((side, axis) => side / (step[axis] as number));
  }
  return steps;
}

/** Two convolutions with norms of each sample's channels, and what enters added behind them. */
type ResidualParameters = {
  readonly conv1: { readonly weight: Parameter<[number, number, ...number[]]> };
  readonly conv2: { readonly weight: Parameter<[number, number, ...number[]]> };
  readonly conv3?: { readonly weight: Parameter<[number, number, ...number[]]> } | undefined;
};

const residualParameters = (inputs: number, outputs: number, axes: number): ResidualParameters => ({
  conv1: windowKernel(inputs, outputs, 3, axes),
  conv2: windowKernel(outputs, outputs, 3, axes),
  ...(inputs === outputs ? {} : { conv3: windowKernel(inputs, outputs, 1, axes) }),
});

const leaky = (g: Builder, x: Tensor): Tensor => g.maximum(x, g.mul(x, 0.01));

function residual(g: Builder, x: Tensor, w: Weights<ResidualParameters>): Tensor {
  const first = leaky(g, instanceNormed(g, convolved(g, x, w.conv1)));
  const second = instanceNormed(g, convolved(g, first, w.conv2));
  const own = w.conv3 ? instanceNormed(g, convolved(g, x, w.conv3)) : x;
  return leaky(g, g.add(second, own));
}

export type UnetrParameters = {
  readonly array: ResidualParameters;
  /** What brings an earlier layer's map to the size of a step, the deepest step first. */
  readonly skips: readonly (readonly {
    readonly up: LinearParameters<number, number>;
    readonly block?: ResidualParameters | undefined;
  }[])[];
  readonly steps: readonly { readonly up: LinearParameters<number, number>; readonly block: ResidualParameters }[];
};

export interface UnetSize {
  /** Features of each map, the deepest last. */
  readonly widths: readonly number[];
  /** Channels of the array. */
  readonly array: number;
  /** Features at the places of the array; twice as many at each coarser step. */
  readonly channels: number;
  /** Sides of a place of the deepest map. */
  readonly sides: readonly number[];
}

export const unetrParameters = declarer(
  "unetrParameters",
  ({ widths, array, channels, sides }: UnetSize): UnetrParameters => {
    const [growing, axes] = [growth(sides), sides.length];
    const widthAfter = (step: number): number => channels * 2 ** (growing.length - 1 - step);
    const deepest = widths.at(-1) as number;
    // The last of the earlier layers meets the deepest step.
    const earlier = [...widths.slice(0, -1)].reverse().slice(0, Math.max(0, growing.length - 1));
    return {
      array: residualParameters(array, channels, axes),
      skips: earlier.map((width, skip) =>
        Array.from({ length: skip + 1 }, (_, i) => ({
          up: spreadParameters(i === 0 ? width : widthAfter(skip), widthAfter(skip), growing[i] as readonly number[]),
          ...(i === 0 ? {} : { block: residualParameters(widthAfter(skip), widthAfter(skip), axes) }),
        })),
      ),
      steps: growing.map((factors, step) => {
        const own = widthAfter(step);
        const joins = step < earlier.length || step === growing.length - 1;
        return {
          up: spreadParameters(step === 0 ? deepest : widthAfter(step - 1), own, factors),
          block: residualParameters(joins ? 2 * own : own, own, axes),
        };
      }),
    };
  },
);

/** maps of one size, and the array -> [B, ...places, F], a place for each of the array (Hatamizadeh et al., WACV 2022: UNETR). */
export const unetrNeck = layer(
  "unetrNeck",
  <B extends Rows, const S extends Dims, const F extends number>(
    g: Builder,
    maps: readonly Tensor[],
    array: Tensor,
    w: Weights<UnetrParameters>,
    o: { readonly places: S; readonly features: F; readonly sides: readonly number[] },
  ): Tensor<[B, ...S, F]> => {
    const growing = growth(o.sides);
    const earlier = [...maps.slice(0, -1)].reverse();
    const skips = w.skips.map((chain, skip) =>
      chain.reduce<Tensor>((x, { up, block }, i) => {
        const y = spread(g, x, up, growing[i] as readonly number[]);
        return block ? residual(g, y, block) : y;
      }, earlier[skip] as Tensor),
    );
    const first = residual(g, array, w.array);
    return claim(
      w.steps.reduce<Tensor>((x, { up, block }, step) => {
        const y = spread(g, x, up, growing[step] as readonly number[]);
        const skip = step === w.steps.length - 1 ? first : skips[step];
        return residual(g, skip ? g.concat([y, skip], y.shape.length - 1) : y, block);
      }, maps.at(-1) as Tensor),
    );
  },
);

// -- beside an encoder of convolutions

export type HybridParameters = {
  /** Over the array, and over each halved map of it. */
  readonly convs: readonly (readonly UnitParameters[])[];
  readonly scse: SqueezeParameters;
  readonly deep: UnitParameters;
  readonly steps: readonly (readonly UnitParameters[])[];
};

/** Features of the convolutions after so many halvings: doubled by each of the first two. */
const hybridWidth = (channels: number, halvings: number): number => channels * 2 ** Math.min(2, halvings);

export const hybridParameters = declarer(
  "hybridParameters",
  ({ widths, array, channels, sides }: UnetSize): HybridParameters => {
    const [count, axes] = [growth(sides).length, sides.length];
    const widthAt = (halvings: number): number => hybridWidth(channels, halvings);
    const deep = widthAt(count);
    return {
      convs: Array.from({ length: count }, (_, i) =>
        unitsParameters(i === 0 ? array : widthAt(i - 1), widthAt(i), 2, axes),
      ),
      scse: squeezeParameters(widthAt(count - 1)),
      deep: unitParameters(widths.at(-1) as number, deep, 3, axes),
      steps: Array.from({ length: count }, (_, step) => {
        const own = count - 1 - step;
        return unitsParameters((step === 0 ? deep : widthAt(own + 1)) + widthAt(own), widthAt(own), 2, axes);
      }),
    };
  },
);

/**
 * maps, of which the last is read, and the array -> [B, ...places, F], a place for each of the array: convolutions of the array itself, halved
 * again and again, meet what the encoder makes of it on the way back up (Xiao et al., 2023: MAE-TransRNet; their deepest map is weighed by scSE).
 */
export const hybridNeck = layer(
  "hybridNeck",
  <B extends Rows, const S extends Dims, const F extends number>(
    g: Builder,
    maps: readonly Tensor[],
    array: Tensor,
    w: Weights<HybridParameters>,
    o: { readonly places: S; readonly features: F; readonly sides: readonly number[] },
  ): Tensor<[B, ...S, F]> => {
    const growing = growth(o.sides);
    const own: Tensor[] = [];
    for (const [i, convs] of w.convs.entries()) {
      const before = own.at(-1);
      // The last step up is the first halving.
      const by = growing[growing.length - i] as number[] | undefined;
      const none = o.sides.map(() => 0);
      const halved = before && by ? g.maxPool(before, { kernel: by, strides: by, before: none, after: none }) : array;
      own.push(units(g, halved, convs));
    }
    own.push(squeezed(g, own.pop() as Tensor, w.scse));
    const deep = unit(g, maps.at(-1) as Tensor, w.deep);
    return claim(
      w.steps.reduce<Tensor>((x, convs, step) => {
        const skip = own[own.length - 1 - step] as Tensor;
        const wide = resized(g, x, placesOf(skip));
        return units(g, g.concat([wide, skip], wide.shape.length - 1), convs);
      }, deep),
    );
  },
);

// -- what is said of each place

/** Weights of what is said, which begin as nearly nothing. */
export const saidParameters = declarer(
  "saidParameters",
  (inputs: number, outputs: number): LinearParameters<number, number> => ({
    weight: parameter([outputs, inputs], { kind: "normal", std: 0.01 }),
    bias: parameter([outputs], { kind: "zeros" }),
  }),
) as <const I extends number, const O extends number>(inputs: I, outputs: O) => LinearParameters<I, O>;

/** The same of velocities, which begin as next to nothing. */
export const velocityParameters = declarer(
  "velocityParameters",
  (inputs: number, axes: number): LinearParameters<number, number> => ({
    weight: parameter([axes, inputs], { kind: "normal", std: 1e-5 }),
    bias: parameter([axes], { kind: "zeros" }),
  }),
) as <const I extends number, const O extends number>(inputs: I, axes: O) => LinearParameters<I, O>;

/** features [B, ...S, F] -> [B, ...places, K]: numbers of each place, linear between the places of the features. */
export const saidOfPlaces = layer(
  "saidOfPlaces",
  <B extends Rows, S extends number[], F extends number, K extends number, const P extends Dims>(
    g: Builder,
    features: Tensor<[B, ...S, F]>,
    w: Weights<LinearParameters<NoInfer<F>, K>>,
    o: { readonly places: P },
  ): Tensor<[B, ...P, K]> =>
    claim(resized(g, linear(g, features as never, w as never) as Tensor, o.places.map(Number))),
);

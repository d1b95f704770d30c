/** How a head over maps is built, whatever it says of each place: which layers it reads, what it makes of them, and its weights. */

import type { Tensor } from "../../graph/index.js";
import { liesInSpace } from "../arrays.js";
import type { Requirement } from "../block.js";
import type { Code } from "../code.js";
import {
  fcnNeck,
  fcnParameters,
  hybridNeck,
  hybridParameters,
  joinMaps,
  pyramidNeck,
  pyramidParameters,
  unetrNeck,
  unetrParameters,
} from "../nn/index.js";
import type { ParameterTree } from "../parameters.js";
import { choice, int, optional, type Params, reals, type ValuesOf } from "../params.js";
import { countsOf, type Lattice } from "../sets.js";
import { featuresFrom } from "../sources.js";
import type { HeadCheck, HeadContext, HeadInputs } from "./contract.js";

export const neckParams = {
  neck: choice({
    default: "linear",
    options: {
      linear: "Nothing: one linear layer says what stands at each place of the encoder's last map.",
      fcn: "Convolutions over the last map.",
      pyramid:
        "Maps of four sizes, means over larger and larger parts, each map added to the finer one: UPerNet. Of a plain transformer, four of its layers become four sizes.",
      unetr:
        "From the last map up to every place of the array, by transposed convolutions that earlier layers and the array itself join: UNETR.",
      hybrid:
        "The same, joined by an encoder of convolutions over the array itself, whose deepest map is weighed by channels and by places (scSE).",
    },
    doc: "What is made of the encoder's maps before each place is judged.",
  }),
  channels: optional(
    int({
      min: 1,
      max: 65_536,
      doc: "Features of it. If absent: of `fcn` and `pyramid` 256, of `unetr` and `hybrid` 16 at the places of the array.",
    }),
  ),
  depth: int({ min: 1, max: 64, default: 2, doc: "Convolutions of `fcn`." }),
  layers: optional(
    reals({
      min: 1,
      max: 4096,
      doc: "Layers of a plain transformer that `pyramid` and `unetr` read, from 1, the last one last. If absent: at 1/3, 1/2, 2/3 and the end; of `unetr` 1/3, 7/12, 5/6 and the end.",
    }),
  ),
  of: featuresFrom,
};

export type NeckValues = ValuesOf<typeof neckParams>;

/** Where layers are read of a plain transformer. */
const usual = { pyramid: [1 / 3, 1 / 2, 2 / 3, 1], unetr: [1 / 3, 7 / 12, 5 / 6, 1] } as const;
/** Doublings of each of four maps of one size: four times, twice and as many places, and half of them. */
const doublings = [2, 1, 0, -1];

const isDeep = (neck: NeckValues["neck"]): neck is keyof typeof usual => neck === "pyramid" || neck === "unetr";

/** Layers of an encoder of tokens, from 1, that become maps. */
export const layersRead = (p: NeckValues, layers: number): readonly number[] =>
  !isDeep(p.neck) ? [layers] : (p.layers ?? usual[p.neck].map((share) => Math.max(1, Math.round(share * layers))));

const channelsOf = ({ neck, channels }: NeckValues): number =>
  channels ?? (neck === "fcn" || neck === "pyramid" ? 256 : 16);

const sidesOf = (grid: Lattice): readonly number[] => grid.map(({ size }) => size);

/** Whether every place of the array is one of what the neck gives. */
const reachesPlaces = ({ neck }: NeckValues): boolean => neck === "unetr" || neck === "hybrid";

/** Features of each map that is read. */
function widthsOf(p: NeckValues, { encoderWidth, levels, layers, inputs }: HeadContext): readonly number[] {
  return levels ? levels.map(({ width }) => width) : layersRead(p, layers).map(() => encoderWidth * inputs.length);
}

/** Features that the neck gives for each place. */
export const featuresOf = (p: NeckValues, context: HeadContext): number =>
  p.neck === "linear" ? (widthsOf(p, context).at(-1) as number) : channelsOf(p);

/** Its weights, as a branch `neck`; none, where there is nothing to be made. */
export function neckParameters(p: NeckValues, context: HeadContext): { readonly neck?: ParameterTree } {
  const [{ grid }] = context.inputs as readonly [HeadContext["inputs"][number]];
  const [widths, channels, axes] = [widthsOf(p, context), channelsOf(p), grid.length];
  const channelsIn = context.inputs.reduce((sum, input) => sum + input.array.channels, 0);
  const unet = { widths, array: channelsIn, channels, sides: sidesOf(grid) };
  switch (p.neck) {
    case "linear":
      return {};
    case "fcn":
      return { neck: fcnParameters({ inputs: widths.at(-1) as number, channels, depth: p.depth, axes }) };
    case "pyramid":
      return { neck: pyramidParameters({ widths, channels, axes, doublings: context.levels ? [] : doublings }) };
    case "unetr":
      return { neck: unetrParameters(unet) };
    case "hybrid":
      return { neck: hybridParameters(unet) };
  }
}

/** maps and arrays -> features [B, ...places, F] */
export function throughNeck(
  code: Code,
  p: NeckValues,
  { neck: w }: { readonly neck?: unknown },
  { maps, arrays, grid, isPyramid }: HeadInputs,
): Tensor {
  const counts = countsOf(grid);
  const features = channelsOf(p);
  const places = grid.map(({ count, size }) => count * size);
  const sides = sidesOf(grid);
  const array = (): Tensor =>
    arrays.length === 1 ? (arrays[0] as Tensor) : code.let("arrays", joinMaps, arrays, { places });
  switch (p.neck) {
    case "linear":
      return maps.at(-1) as Tensor;
    case "fcn":
      return code.let("features", fcnNeck, maps, w, { places: counts, features });
    case "pyramid": {
      const finest = isPyramid ? (maps[0] as Tensor).shape.slice(1, -1) : counts.map((count) => 4 * count);
      return code.let("features", pyramidNeck, maps, w, {
        places: finest,
        features,
        doublings: isPyramid ? [] : doublings,
      });
    }
    case "unetr":
      return code.let("features", unetrNeck, maps, array(), w, { places, features, sides });
    case "hybrid":
      return code.let("features", hybridNeck, maps, array(), w, { places, features, sides });
  }
}

type NeckRequirement = Requirement<typeof neckParams & Params, HeadCheck>;

const isPowerOfTwo = (n: number): boolean => Number.isInteger(Math.log2(n));

export const neckRequirements: readonly NeckRequirement[] = [
  {
    name: "whole",
    at: null,
    doc: "Every place is seen: no mask hides any while places are judged.",
    holds: (_, { masked }) => !masked,
    say: () => "a mask hides a part of what is to be judged place by place",
    help: () => "remove the `mask`, or judge places in a model of its own that starts from the weights of this one",
  },
  {
    name: "places",
    at: null,
    doc: "The model reads an array whose places are alike: an image or a volume.",
    holds: (_, { array }) => array.ids === undefined && array.axes.length >= 2 && !liesInSpace(array),
    say: (_, { array }) =>
      array.ids !== undefined
        ? "the model reads a text, which has no places"
        : liesInSpace(array)
          ? "the model reads what lies in space, in no order, and maps have rows and columns"
          : "the model reads an array of one axis",
    help: () => "write `input image` or `input volume`",
  },
  {
    name: "four-layers",
    at: "layers",
    doc: "`layers` are whole numbers in their order, as many as the neck reads: of `pyramid` four.",
    holds: (p, { layers, maps }) =>
      p.layers === null ||
      (maps === null &&
        isDeep(p.neck) &&
        layers !== null &&
        p.layers.every((one, i) => Number.isInteger(one) && one <= layers && one > (p.layers?.[i - 1] ?? 0)) &&
        p.layers.at(-1) === layers &&
        (p.neck !== "pyramid" || p.layers.length === doublings.length)),
    say: (p, { layers, maps }) =>
      maps !== null
        ? "the encoder gives maps of its own, all of which are read"
        : !isDeep(p.neck)
          ? `\`${p.neck}\` reads the last layer alone`
          : `(${p.layers?.join(", ")}) are not ${p.neck === "pyramid" ? "four " : ""}layers from the first to the last, ${layers}`,
    help: () => "leave `layers` out",
  },
  {
    name: "pyramid-of-maps",
    at: "neck",
    doc: "`pyramid` halves the places of the last of four layers, and `unetr` reads layers of a plain transformer.",
    holds: (p, { maps, grid }) =>
      maps === null
        ? p.neck !== "pyramid" || grid.every(({ count }) => count % 2 === 0)
        : p.neck !== "unetr" && (p.neck !== "pyramid" || maps.levels.length > 1),
    say: (p, { maps, grid }) =>
      maps === null
        ? `${grid.map(({ count }) => count).join("x")} tokens cannot be halved`
        : p.neck === "unetr"
          ? "the encoder gives maps of several sizes, and no layers of one size"
          : "the encoder gives one map, and a pyramid has several",
    help: (p, { maps }) =>
      maps === null
        ? "change the image's size, or use `neck: fcn`"
        : p.neck === "unetr"
          ? "use `neck: hybrid`"
          : "use `neck: fcn`",
  },
  {
    name: "doubling",
    at: "neck",
    doc: "`unetr` and `hybrid` come from patches to single places by doubling: sides of patches are powers of two.",
    holds: (p, { grid }) => !reachesPlaces(p) || grid.every(({ size }) => isPowerOfTwo(size)),
    say: (_, { grid }) => `patches are ${grid.map(({ size }) => size).join("x")}`,
    help: () => "use patches of sides that are powers of two, or `neck: fcn`",
  },
];

/** Of meshes: what is known of the faces of a patch, where it is, and its corners as seen from there. */

import type { Builder, Mul, Rows, Tensor } from "../../graph/index.js";
import { faceChannels } from "../arrays.js";
import { firstCorners } from "../meshes.js";
import { claim, claimAs, declarer, layer } from "./layer.js";
import { type LayerNormParameters, type LinearParameters, layerNormParameters, linearParameters } from "./linear.js";

/** Patches of faces [B, N, F, 19], see `MeshShape`. */
type Faces<B extends Rows, N extends number, F extends number> = Tensor<[B, N, F, 19]>;

const { feature, corner, all } = faceChannels;

export type FaceEmbedParameters<F extends number, D extends number> = {
  readonly proj: LinearParameters<Mul<F, 10>, D>;
  readonly norm: LayerNormParameters<D>;
};

/** Of patches of so many faces. */
export const faceEmbedParameters = declarer(
  "faceEmbedParameters",
  <F extends number, D extends number>(faces: F, width: D): FaceEmbedParameters<F, D> => ({
    proj: linearParameters((faces * (corner - feature)) as Mul<F, 10>, width),
    norm: layerNormParameters(width),
  }),
);

/** faces [B, N, F, 19] -> what is known of them, face after face, [B, N, 10 F]. */
export const featuresOfFaces = layer(
  "featuresOfFaces",
  <B extends Rows, N extends number, F extends number>(
    g: Builder,
    faces: Faces<B, N, F>,
  ): Tensor<[B, N, Mul<F, 10>]> => {
    const [batch, count, each] = faces.shape as readonly [number, number, number, number];
    const features = g.slice(faces, [0, 0, 0, feature], [batch, count, each, corner - feature]);
    return claimAs(g.reshape(features, [batch, count, each * (corner - feature)]));
  },
);

/** All corners of the faces of each patch, [B, N, 3 F, 3]. */
function cornersIn(g: Builder, faces: Tensor): Tensor {
  const [batch, count, each] = faces.shape as readonly [number, number, number, number];
  const corners = g.slice(faces, [0, 0, 0, corner], [batch, count, each, all - corner]);
  return g.reshape(corners, [batch, count, each * 3, 3]);
}

/** faces [B, N, F, 19] -> the mean of the middles of the faces of each patch, [B, N, 3]. */
export const patchCentres = layer(
  "patchCentres",
  <B extends Rows, N extends number, F extends number>(g: Builder, faces: Faces<B, N, F>): Tensor<[B, N, 3]> =>
    claim(g.mean(cornersIn(g, faces), [2])),
);

/** faces [B, N, F, 19] -> the different corners of each patch as seen from its centre, one after the other, [B, N, P]. */
export const patchVertices = layer(
  "patchVertices",
  <B extends Rows, N extends number, F extends number>(
    g: Builder,
    faces: Faces<B, N, F>,
    o: { readonly levels: number },
  ): Tensor<[B, N, number]> => {
    const corners = cornersIn(g, faces);
    const seen = g.sub(corners, g.mean(corners, [2], "keep"));
    const places = firstCorners(o.levels);
    const [batch, count] = corners.shape as readonly [number, number];
    const table: Tensor<[number, number, number, 3]> = claim(g.transpose(seen, [2, 0, 1, 3]));
    const picked = g.lookUp(table, claim(g.constant(places, [places.length], "int32")));
    return claim(g.reshape(g.transpose(picked, [1, 2, 0, 3]), [batch, count, places.length * 3]));
  },
);

/** One mesh as the array that a model reads: a file opened and checked, its points changed as the recipe says, and its faces measured. */

import {
  type ArrayShape,
  type AugmentStep,
  DataError,
  facesAsNumbers,
  type Mesh,
  meshOfNumbers,
  patchesOfMesh,
} from "../../../blocks/index.js";
import { invariant } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import { BrokenFile } from "../broken-file.js";
import { changePoints } from "../points/cloud.js";
import { shapeIn } from "../points/shape-file.js";

interface Checked {
  readonly mesh: Mesh;
  /** [patches, corners of a patch] */
  readonly corners: Int32Array;
}

const levelsOf = ({ mesh }: ArrayShape): number => {
  invariant(mesh, "only arrays of faces are made of meshes");
  return mesh.levels;
};

/** Throws `BrokenFile` for what is no mesh of patches, `run/array-size` for one of another number of faces, or `run/unreadable`. */
async function meshIn(path: string, array: ArrayShape): Promise<Checked> {
  const { points, faces } = await shapeIn(path);
  if (!faces) throw new BrokenFile(path, "it has points and no faces: a mesh is a surface of triangles");
  const [patches, each] = array.axes.map(({ size }) => size) as [number, number];
  const count = faces.length / 3;
  if (count !== patches * each) {
    const fits = count % each === 0 ? `, or write \`patches: ${count / each}\` in the model's input` : "";
    throw new RunError("run/array-size", {
      what: `${path} has ${count} faces, and the model reads ${patches} patches of ${each}, which are ${patches * each}`,
      why: "each face of a base mesh is cut into a patch, and all meshes have as many",
      help: `Remesh it, with \`node examples/data/remesh.mjs\` or SubdivNet's datagen_maps.py${fits}.`,
    });
  }
  try {
    return { mesh: { points, faces }, corners: patchesOfMesh({ points, faces }, patches, levelsOf(array)) };
  } catch (error) {
    if (error instanceof DataError) throw new BrokenFile(path, `${error.what}. ${error.help.replace(/\.$/, "")}`);
    throw error;
  }
}

/** [patches, faces, channels]. Throws as `meshIn`. */
export async function meshArray(path: string, array: ArrayShape, steps: readonly AugmentStep[]): Promise<Float32Array> {
  const { mesh, corners } = await meshIn(path, array);
  changePoints(mesh.points, steps);
  return facesAsNumbers(mesh, corners, levelsOf(array));
}

/** The same of faces that are stored as they enter a model. */
export function meshOf(stored: Float32Array, array: ArrayShape, steps: readonly AugmentStep[]): Float32Array {
  const { mesh, corners } = meshOfNumbers(stored, levelsOf(array));
  if (!changePoints(mesh.points, steps)) return stored;
  return facesAsNumbers(mesh, corners, levelsOf(array));
}

/** Looks whether the file is one that the model reads. Throws as `meshIn`. */
export async function checkMesh(path: string, array: ArrayShape): Promise<void> {
  await meshIn(path, array);
}

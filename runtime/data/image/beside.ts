/** Files beside images: whole numbers for each pixel, brought to the same part, size and side as the image. */

import { DataError, readNpy } from "../../../blocks/index.js";
import { readPlainFile } from "../../plain-file.js";
import { RunError, systemCode, unreadable } from "../../run-error.js";
import { readGrey } from "./decode.js";
import type { Geometry, Raster, Size } from "./raster.js";
import { applySteps } from "./steps.js";

/** What the numbers of a map are: whole, or any. */
export type NumbersOf = "classes" | "values";

/** Whole numbers below it keep their value in a raster of floats. */
const limit = 2 ** 24;
/** A file of maps of one image that is larger is not what was meant. */
const mostBytes = 2 ** 28;

/** By the ending of the file, in the order in which files are looked for. */
const readers: Readonly<Record<string, (bytes: Uint8Array, path: string, of: NumbersOf) => Raster | Promise<Raster>>> =
  {
    ".png": readGrey,
    ".npy": readMaps,
  };

/**
 * The maps [H, W] of the file that belongs to an image.
 * @param path of the file, with the ending of the image
 * @param size of the image file, which the maps have too
 * @param steps what was done to the image
 * @throws RunError `run/data` or `run/unreadable`
 */
export async function besideFile(path: string, size: Size, steps: readonly Geometry[]): Promise<readonly Int32Array[]> {
  const { raster, found } = await open(path.replace(/\.[^./\\]*$/, ""));
  checkSize(raster, size, found);
  return separated(applySteps(raster, steps.map(byNearest(0))));
}

/**
 * The map of an image in a file of this name: a number for each of its pixels, a whole one where it is a class.
 * @throws RunError `run/data` or `run/unreadable`
 */
export async function mapFile(path: string, size: Size, of: NumbersOf): Promise<Raster> {
  const read = Object.entries(readers).find(([ending]) => path.toLowerCase().endsWith(ending))?.[1];
  if (!read) {
    throw new RunError("run/data", {
      what: `${path} is no file of numbers for each pixel`,
      help: `Name ${Object.keys(readers).join(" or ")} files.`,
    });
  }
  const raster = await read(await readPlainFile(path, mostBytes).catch(unreadableFile(path)), path, of);
  checkSize(raster, size, path);
  if (raster.channels === 1) return raster;
  throw new RunError("run/data", {
    what: `${path} holds ${raster.channels} maps`,
    help: "Save one number for each pixel, as (height, width).",
  });
}

const unreadableFile =
  (path: string) =>
  (error: unknown): never => {
    if (error instanceof RunError) throw error;
    throw unreadable(path, "Make it readable, or start again without it.", error);
  };

/** Throws `run/data` for maps of another size than their image. */
function checkSize(raster: Raster, size: Size, found: string): void {
  if (raster.height === size.height && raster.width === size.width) return;
  throw new RunError("run/data", {
    what: `${found} is ${raster.height}x${raster.width} and its image ${size.height}x${size.width}`,
    help: "A file beside an image has a number for each of its pixels, after the image was turned as its orientation says.",
  });
}

/** Numbers are not to be mixed. `outside`: what a turn brings in from there. */
export const byNearest =
  (outside: number) =>
  (step: Geometry): Geometry => {
    if (step.kind === "affine") return { ...step, filter: "nearest", fill: [outside] };
    return step.kind === "resize" ? { ...step, filter: "nearest" } : step;
  };

async function open(path: string): Promise<{ readonly raster: Raster; readonly found: string }> {
  for (const [ending, read] of Object.entries(readers)) {
    const found = path + ending;
    const bytes = await readPlainFile(found, mostBytes).catch((error: unknown) =>
      systemCode(error) === "ENOENT" ? null : unreadableFile(found)(error),
    );
    if (bytes !== null) return { raster: await read(bytes, found, "classes"), found };
  }
  throw new RunError("run/data", {
    what: `There is no ${path}${Object.keys(readers).join(` and no ${path}`)}`,
    help: "A file with whole numbers for each pixel is needed beside every image, at the same path within its folder.",
  });
}

/** [H, W], or [maps, H, W], as channels of a raster. */
function readMaps(bytes: Uint8Array, path: string, of: NumbersOf): Raster {
  const { shape, data } = npyOf(bytes, path);
  const [height, width] = shape.slice(-2) as [number, number];
  const channels = shape.length === 3 ? (shape[0] as number) : 1;
  if ((shape.length !== 2 && shape.length !== 3) || channels === 0)
    throw notMaps(path, `has the shape (${shape.join(", ")})`);
  const pixels = new Float32Array(height * width * channels);
  for (let map = 0; map < channels; map++) {
    for (let i = 0; i < height * width; i++) {
      const number = Number(data[map * height * width + i]);
      const isClass = Number.isInteger(number) && Math.abs(number) < limit;
      if (of === "classes" && !isClass) throw notMaps(path, `holds ${number}`);
      pixels[i * channels + map] = number;
    }
  }
  return { pixels, height, width, channels };
}

function npyOf(bytes: Uint8Array, path: string): ReturnType<typeof readNpy> {
  try {
    return readNpy(bytes, path, "whole numbers");
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    throw new RunError("run/data", { what: error.what, help: error.help }, { cause: error });
  }
}

const notMaps = (path: string, what: string): RunError =>
  new RunError("run/data", {
    what: `${path} ${what}`,
    help: `Save whole numbers below ${limit.toLocaleString("en-US")} as (height, width) or (maps, height, width).`,
  });

/** A map for each channel. */
const separated = ({ pixels, channels }: Raster): readonly Int32Array[] =>
  Array.from({ length: channels }, (_, map) =>
    Int32Array.from({ length: pixels.length / channels }, (_, i) => pixels[i * channels + map] as number),
  );

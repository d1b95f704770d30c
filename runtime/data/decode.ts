/**
 * Image files through sharp: orientation, channels, and the first crop and resize of a plan.
 *
 * The file's orientation (EXIF) is applied, an embedded colour profile is converted to sRGB, more than 8 bits become 8,
 * and of an animation the first frame counts. Channels: a grey file becomes colour by repeating, colour without
 * transparency gets an opaque alpha, and transparency is composited over white where the model has no channel for it.
 * Colour is never made grey in silence: a model of one channel refuses colour files.
 */

import { readFile } from "node:fs/promises";
import type { Metadata, Sharp } from "sharp";
import { invariant } from "../../graph/index.js";
import { RunError, reasonOf, unreadable } from "../run-error.js";
import type { Filter, Geometry, Raster, Step } from "./raster.js";
import { loadSharp } from "./sharp.js";

/** What happened to a file beyond its recipe; said once a run. */
export type Remark = "grey" | "transparent";

/** A file that cannot be decoded: cut off, damaged, or no image at all. */
export class BrokenImage extends Error {
  override readonly name = "BrokenImage";
  constructor(
    readonly path: string,
    readonly why: string,
  ) {
    super(`${path}: ${why}`);
  }
}

export interface OpenImage {
  readonly path: string;
  readonly bytes: Uint8Array;
  /** After the file's orientation was applied. */
  readonly height: number;
  readonly width: number;
  /** Without transparency: 1 or 3. */
  readonly colours: 1 | 3;
  readonly transparent: boolean;
}

const kernels = { bicubic: "cubic", bilinear: "linear", nearest: "nearest" } as const satisfies Record<Filter, string>;

/** What stands in a name for bytes that are no text. */
const noCharacter = "\uFFFD";
const renamed = "Its name seems not to be UTF-8: rename it.";
const wasThere = "It was there when the run began. Put it back, or start again without it.";

/** Reads a file and its header. Throws `BrokenImage`, `run/unreadable` when the file itself cannot be read, or `run/decoder-missing`. */
export async function openImage(path: string): Promise<OpenImage> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw unreadable(path, path.includes(noCharacter) ? renamed : wasThere, error);
  });
  if (bytes.length === 0) throw new BrokenImage(path, "it is empty");
  const sharp = await loadSharp();
  const facts: Metadata = await sharp(bytes).metadata().catch(broken(path));
  const colours = facts.channels - (facts.hasAlpha ? 1 : 0) === 1 ? 1 : 3;
  const { height, width } = facts.autoOrient;
  return { path, bytes, height, width, colours, transparent: facts.hasAlpha };
}

/** What sharp says when another thread has taken the words of an error: the library keeps them for all threads together. */
const wordless = "Unknown error";

const broken =
  (path: string) =>
  (error: unknown): never => {
    const reason = reasonOf(error);
    throw new BrokenImage(path, reason === wordless ? "it is damaged" : reason);
  };

/**
 * Decodes to `channels` channels. sharp carries out a crop and a shrinking resize at the head of the plan, which for large
 * files is much cheaper there; the rest of the plan is given back.
 */
export async function decode(
  file: OpenImage,
  plan: readonly Geometry[],
  channels: number,
): Promise<{ readonly raster: Raster; readonly remark: Remark | null; readonly rest: readonly Geometry[] }> {
  const sharp = await loadSharp();
  const remark = remarkOn(file, channels);
  let image: Sharp = sharp(file.bytes, { failOn: "error" }).autoOrient();
  if (file.transparent && channels < 4) image = image.flatten({ background: "#ffffff" });
  const rest = [...plan];
  let size: { readonly height: number; readonly width: number } = file;
  if (rest[0]?.kind === "crop") {
    const { top, left, height, width } = rest[0];
    image = image.extract({ top, left, height, width });
    size = rest.shift() as Step<"crop">;
  }
  // sharp enlarges about the corner of a pixel instead of its centre, so that is left to `raster.ts`.
  if (rest[0]?.kind === "resize" && rest[0].height <= size.height && rest[0].width <= size.width) {
    const { height, width, filter } = rest[0];
    image = image.resize({ height, width, fit: "fill", kernel: kernels[filter] });
    rest.shift();
  }
  image = image.toColourspace(channels === 1 ? "b-w" : "srgb");
  if (channels === 4) image = image.ensureAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true }).catch(broken(file.path));
  invariant(info.channels === channels, `${file.path} was decoded to ${info.channels} channels, not ${channels}`);
  return { raster: { pixels: data, height: info.height, width: info.width, channels }, remark, rest };
}

/** A grey file of 8 or 16 bits as numbers. Throws `run/data` for any other. */
export async function readGrey(bytes: Uint8Array, path: string): Promise<Raster> {
  const sharp = await loadSharp();
  const unsuitable = (why: string): RunError =>
    new RunError("run/data", {
      what: `${path} ${why}`,
      help: "Save numbers of pixels as a grey PNG file of 8 or 16 bits.",
    });
  const undecodable = (error: unknown): never => {
    throw unsuitable(`cannot be decoded: ${reasonOf(error)}`);
  };
  if (bytes.length === 0) throw unsuitable("is empty");
  const facts: Metadata = await sharp(bytes).metadata().catch(undecodable);
  if (facts.channels !== 1) throw unsuitable("has colours, of which the numbers cannot be told");
  const image = sharp(bytes, { failOn: "error" });
  const deep = facts.depth === "ushort";
  const { data, info } = await (deep
    ? image.toColourspace("grey16").raw({ depth: "ushort" })
    : image.extractChannel(0).raw()
  )
    .toBuffer({ resolveWithObject: true })
    .catch(undecodable);
  const numbers = deep ? new Uint16Array(data.buffer, data.byteOffset, data.length / 2) : data;
  return { pixels: Float32Array.from(numbers), height: info.height, width: info.width, channels: 1 };
}

/** Whether a file can be read as `channels` channels, and what that takes. Throws `run/channels`. */
export function remarkOn({ path, colours, transparent }: OpenImage, channels: number): Remark | null {
  const files = colours + (transparent ? 1 : 0);
  if (channels === 2 || channels > 4) {
    throw wrongChannels(path, files, channels, "Image files are read as 1, 3 or 4 channels; use npy for others.");
  }
  if (colours === 3 && channels === 1) {
    throw wrongChannels(
      path,
      files,
      channels,
      "Write `channels: 3` in the model's input, or turn the files grey first.",
    );
  }
  if (transparent && channels < 4) return "transparent";
  return colours === 1 && channels > 1 ? "grey" : null;
}

export const wrongChannels = (path: string, has: number, declared: number, help: string): RunError =>
  new RunError("run/channels", {
    what: `${path} has ${has} ${has === 1 ? "channel" : "channels"} and the model declares ${declared}`,
    help,
  });

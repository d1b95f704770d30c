/**
 * How the channels of an image file become those that the model declares. A grey file becomes colour by repeating, colour
 * without transparency gets an opaque alpha, and transparency is composited over white where the model has no channel for it.
 * Colour is never made grey in silence: a model of one channel takes a file of three only where they are equal.
 */

import { RunError } from "../../run-error.js";
import { largestOf, type Raster, sameKind } from "./raster.js";

/** What happened to a file beyond its recipe; said once a run. */
export type Remark = "grey" | "equal" | "transparent" | "dark";

/** What an image file has. */
export interface FileChannels {
  readonly path: string;
  /** Without transparency. */
  readonly colours: 1 | 3;
  readonly transparent: boolean;
}

/** What a file needs to be read as `channels` channels. Throws `run/channels` where no file can be. */
export function remarkOn({ path, colours, transparent }: FileChannels, channels: number): readonly Remark[] {
  const files = colours + (transparent ? 1 : 0);
  if (channels === 2 || channels > 4) {
    throw wrongChannels(path, files, channels, "Image files are read as 1, 3 or 4 channels; use npy for others.");
  }
  return [
    ...(transparent && channels < 4 ? (["transparent"] as const) : []),
    ...(colours === 1 && channels > 1 ? (["grey"] as const) : []),
    ...(colours === 3 && channels === 1 ? (["equal"] as const) : []),
  ];
}

export const wrongChannels = (path: string, has: number, declared: number, help: string): RunError =>
  new RunError("run/channels", {
    what: `${path} has ${has} ${has === 1 ? "channel" : "channels"} and the model declares ${declared}`,
    help,
  });

/** The largest value that 12 bits have, of 16. */
const twelveBits = Math.fround(4095 / 65_535);

/** Whether 16 bits seem to hold only 12: then the picture is nearly black. */
export const remarkOnDepth = (pixels: Raster["pixels"]): readonly Remark[] =>
  pixels instanceof Float32Array && pixels.every((value) => value <= twelveBits) ? ["dark"] : [];

/** All values of a file, its colours and then its transparency, as `channels` channels. Throws `run/channels`. */
export function asDeclared(raster: Raster, file: FileChannels, channels: number): Raster {
  const opaque = raster.alpha && channels < 4 ? overWhite(raster) : raster;
  if (channels === 1 && opaque.channels > 1) return equalChannels(opaque, file);
  return channels === 4 && !raster.alpha ? withAlpha(opaque) : opaque;
}

const emptyLike = ({ pixels, height, width }: Raster, channels: number): Raster["pixels"] =>
  sameKind(pixels, height * width * channels);

function overWhite(raster: Raster): Raster {
  const { pixels, height, width } = raster;
  const channels = raster.channels - 1;
  const white = largestOf(pixels);
  const result = emptyLike(raster, channels);
  const rounding = white === 255 ? 0.5 : 0;
  for (let i = 0; i < height * width; i++) {
    const alpha = (pixels[i * raster.channels + channels] as number) / white;
    for (let c = 0; c < channels; c++) {
      const colour = pixels[i * raster.channels + c] as number;
      result[i * channels + c] = white + (colour - white) * alpha + rounding;
    }
  }
  return { pixels: result, height, width, channels };
}

/** Levels of 255 by which equal channels may differ: lossy formats keep grey as colours, and round them. */
const equalWithin = 2;

/** One of three equal channels. */
function equalChannels(raster: Raster, { path }: FileChannels): Raster {
  const { pixels, height, width, channels } = raster;
  const slack = (equalWithin * largestOf(pixels)) / 255;
  const result = emptyLike(raster, 1);
  for (let i = 0; i < result.length; i++) {
    const [red, green, blue] = [pixels[i * channels], pixels[i * channels + 1], pixels[i * channels + 2]] as [
      number,
      number,
      number,
    ];
    if (Math.abs(red - green) > slack || Math.abs(blue - green) > slack) {
      const help = "Write `channels: 3` in the model's input, or turn the file grey first.";
      throw new RunError("run/channels", { what: `${path} has colours and the model declares 1 channel`, help });
    }
    result[i] = green;
  }
  return { pixels: result, height, width, channels: 1 };
}

function withAlpha(raster: Raster): Raster {
  const { pixels, height, width, channels } = raster;
  const result = emptyLike(raster, channels + 1).fill(largestOf(pixels));
  for (let i = 0; i < height * width; i++) {
    for (let c = 0; c < channels; c++) result[i * (channels + 1) + c] = pixels[i * channels + c] as number;
  }
  return { pixels: result, height, width, channels: channels + 1 };
}

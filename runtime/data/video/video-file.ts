/**
 * Clips of single files: videos through FFmpeg where that package is installed, animated GIF and WebP through sharp. Where a clip begins is drawn as
 * of folders of frames; what of it is decoded is bounded by its own frames, and not by the length of the file.
 */

import { counted, grouped } from "../../../blocks/index.js";
import { openPlainFile, readBytes } from "../../plain-file.js";
import { RunError, reasonOf, unreadable } from "../../run-error.js";
import { BrokenFile } from "../broken-file.js";
import { asDeclared } from "../image/channels.js";
import { readImageFile } from "../image/image-file.js";
import { loadSharp } from "../image/sharp.js";
import { BrokenVideo, type Clip, checkDecoded, keptFrames, type Wanted } from "./clip.js";
import { type Container, framesOfVideo, readVideo } from "./webcodecs.js";

/** How files begin; a dot is any byte. */
const containers: readonly (readonly [beginning: string, container: Container])[] = [
  ["....ftyp", "Mp4Demuxer"],
  ["....moov", "Mp4Demuxer"],
  ["....wide", "Mp4Demuxer"],
  ["....mdat", "Mp4Demuxer"],
  ["\x1a\x45\xdf\xa3", "MkvDemuxer"],
];

const animations = ["GIF8", "RIFF....WEBP"];

const begins = (bytes: Uint8Array, beginning: string): boolean =>
  [...beginning].every((c, i) => c === "." || bytes[i] === c.charCodeAt(0));

/** Frames with as many channels as the model reads. Throws `BrokenFile`, `run/channels`, `run/unreadable` or `run/decoder-missing`. */
export async function readClip(path: string, wanted: Wanted, channels: number): Promise<Clip> {
  const clip = await ofKind(path, {
    animation: () => readAnimation(path, wanted),
    video: (container) => readVideo(path, container, wanted),
  });
  return asChannels(clip, path, channels);
}

/** Frames of a file. Throws as `readClip`. */
export const lengthOfVideo = (path: string): Promise<number> =>
  ofKind(path, {
    animation: async () => (await openAnimation(path)).frames,
    video: (container) => framesOfVideo(path, container),
  });

/** Reads a file as what it begins like. Throws `BrokenFile` for what is broken. */
async function ofKind<T>(
  path: string,
  read: { readonly animation: () => Promise<T>; readonly video: (container: Container) => Promise<T> },
): Promise<T> {
  try {
    const head = await headOf(path);
    if (animations.some((beginning) => begins(head, beginning))) return await read.animation();
    const container = containers.find(([beginning]) => begins(head, beginning))?.[1];
    if (!container) throw new BrokenVideo("it is no MP4, MOV, WebM, Matroska, GIF or WebP file");
    return await read.video(container);
  } catch (error) {
    throw error instanceof BrokenVideo ? new BrokenFile(path, error.message) : error;
  }
}

async function headOf(path: string): Promise<Uint8Array> {
  try {
    const { file, size } = await openPlainFile(path, "it");
    try {
      if (size === 0) throw new BrokenVideo("it is empty");
      return await readBytes(file, 0, Math.min(16, size));
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof BrokenVideo) throw error;
    if (error instanceof RunError) throw new BrokenFile(path, error.what);
    throw unreadable(path, "It was there when the run began. Put it back, or start again without it.", error);
  }
}

/** All frames are opaque; what was transparent lies over white. */
function asChannels({ frames, size }: Clip, path: string, channels: number): Clip {
  const file = { path, colours: 3, transparent: true } as const;
  return { size, frames: frames.map((frame) => asDeclared({ ...frame, alpha: true }, file, channels)) };
}

const broken = (error: unknown): never => {
  throw new BrokenVideo(`it is damaged: ${reasonOf(error)}`);
};

async function openAnimation(path: string) {
  const bytes = await readImageFile(path);
  const sharp = await loadSharp();
  const facts = await sharp(bytes, { limitInputPixels: false }).metadata().catch(broken);
  return { sharp, bytes, frames: facts.pages ?? 1, height: facts.pageHeight ?? facts.height, width: facts.width };
}

async function readAnimation(path: string, wanted: Wanted): Promise<Clip> {
  const { sharp, bytes, frames, height, width } = await openAnimation(path);
  const stride = wanted.stride(frames);
  const span = (wanted.count - 1) * stride + 1;
  if (frames < span) {
    throw new BrokenVideo(`it has ${counted(frames, "frame")}, and a clip of the model takes ${grouped(span)} of them`);
  }
  checkDecoded({ codedHeight: height, codedWidth: width }, span);
  const page = wanted.beginning(frames - span);
  const { data, info } = await sharp(bytes, { page, pages: span, limitInputPixels: false })
    .toColourspace("srgb")
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
    .catch(broken);
  const length = height * width * 4;
  if (info.channels !== 4 || data.length < length * span) throw new BrokenVideo("its frames do not have one size");
  return {
    size: { height, width },
    frames: keptFrames(wanted, stride).map((frame) => ({
      pixels: data.subarray(frame * length, (frame + 1) * length),
      height,
      width,
      channels: 4,
    })),
  };
}

/**
 * Frames of video files through FFmpeg, as the package @napi-rs/webcodecs brings it: MP4, MOV, WebM and Matroska with H.264, H.265, VP8, VP9 or AV1.
 * A clip is read from the key frame before it, and no further than its last frame.
 */

import type { DemuxerVideoDecoderConfig, EncodedVideoChunk, VideoFrame } from "@napi-rs/webcodecs";
import { counted, grouped } from "../../../blocks/index.js";
import { RunError, reasonOf } from "../../run-error.js";
import type { Raster } from "../image/raster.js";
import { BrokenVideo, type Clip, checkDecoded, keptFrames, type Wanted } from "./clip.js";
import { asStored, turned, turnOf } from "./turn.js";

type Library = typeof import("@napi-rs/webcodecs");

let loading: Promise<Library> | undefined;

/** Throws `run/decoder-missing`. */
function loadLibrary(): Promise<Library> {
  loading ??= import("@napi-rs/webcodecs").then(
    (loaded: Library & { readonly default?: Library }) => loaded.default ?? loaded,
    (error: unknown) => {
      throw new RunError(
        "run/decoder-missing",
        {
          what: "Video files cannot be read here: the package @napi-rs/webcodecs is not installed or does not load",
          why: reasonOf(error).split("\n", 1)[0] as string,
          help: "npm install @napi-rs/webcodecs@1.3 (69 MB), or make folders of frames (ffmpeg -i a.mp4 a/%05d.png) or animated WebP or GIF files.",
        },
        { cause: error },
      );
    },
  );
  return loading;
}

/** By the beginning of a file, whatever its name. */
export type Container = "Mp4Demuxer" | "WebMDemuxer" | "MkvDemuxer";

/** Packets that are read at once. */
const together = 48;
/** Bytes of packets that are held of one clip. */
const mostBytes = 2 ** 28;
/** Frames may come this much later than their packets. */
const reordering = 16;

/** A clip of a video file. Throws `BrokenVideo` or `run/decoder-missing`. */
export async function readVideo(path: string, container: Container, wanted: Wanted): Promise<Clip> {
  const library = await loadLibrary();
  const first = await readPackets(library, { path, container, from: null, frames: together });
  const { duration, config } = first;
  await checkCodec(library, config);
  const times = first.packets.map(({ timestamp }) => timestamp).sort((a, b) => a - b);
  const step = ((times.at(-1) as number) - (times[0] as number)) / Math.max(1, times.length - 1);
  // The last packets that were read may lack some that are seen before them.
  const known = times.length < together ? times.length : times.length - reordering;
  const timeOf = (frame: number): number =>
    frame < known ? (times[frame] as number) : (times[0] as number) + (frame - 0.5) * step;
  const total = times.length < together ? times.length : Math.max(times.length, Math.round((duration ?? 0) / step));
  const stride = wanted.stride(total);
  const span = (wanted.count - 1) * stride + 1;
  if (times.length < span && times.length < together) throw tooFew(times.length, span);
  checkDecoded(config, wanted.count);
  // How many frames there are is only known of those that were read: a clip that runs over the end begins earlier.
  for (let most = Math.max(0, total - span); ; ) {
    const begin = wanted.beginning(most);
    const from = begin === 0 ? null : timeOf(begin);
    const packets = await packetsFrom(library, { path, container, from, frames: span + reordering }, reordering * step);
    const later = packets.map(({ timestamp }) => timestamp).sort((a, b) => a - b);
    const at = from === null ? 0 : later.findIndex((time) => time >= from);
    if (at >= 0 && later.length - at >= span) {
      const kept = keptFrames(wanted, stride).map((frame) => at + frame);
      const frames = await decoded(library, config, packets, kept);
      const turn = container === "Mp4Demuxer" ? await turnOf(path) : asStored;
      const seen = turn.join() === asStored.join() ? frames : frames.map((frame) => turned(frame, turn));
      const { height, width } = seen[0] as Raster;
      return { frames: seen, size: { height, width } };
    }
    if (begin === 0) throw tooFew(later.length, span);
    most = at < 0 ? Math.floor(most / 2) : Math.min(most - 1, Math.max(0, begin + later.length - at - span));
  }
}

/** Frames of a video file: all of it is read, and nothing decoded. Throws as `readVideo`. */
export async function framesOfVideo(path: string, container: Container): Promise<number> {
  const library = await loadLibrary();
  return (
    await readPackets(library, { path, container, from: null, frames: Number.POSITIVE_INFINITY, onlyCounted: true })
  ).count;
}

/**
 * The packets from the key frame before a time on. Key frames are found by when they are decoded, which may be before frames that are seen
 * earlier: then those from an earlier key frame.
 */
async function packetsFrom(library: Library, asked: Asked, reordered: number): Promise<readonly EncodedVideoChunk[]> {
  const { from } = asked;
  for (let back = 0; ; back = 2 * back + Math.max(1, reordered)) {
    const { packets } = await readPackets(library, { ...asked, ...(from === null ? {} : { seek: from - back }) });
    const isThere = packets.some(({ timestamp }) => from === null || timestamp <= from);
    if (isThere || from === null || back >= from) return packets;
  }
}

/** Throws `BrokenVideo` for a video in a form that is not decoded. */
async function checkCodec({ VideoDecoder }: Library, config: DemuxerVideoDecoderConfig): Promise<void> {
  if ((await VideoDecoder.isConfigSupported(config)).supported) return;
  const form = config.codec === "none" ? "a form that has no name here" : `the form ${config.codec}`;
  throw new BrokenVideo(
    `its frames are packed in ${form}, and H.264, H.265, VP8, VP9 and AV1 are read; pack them anew, as \`ffmpeg -i a.mov a.mp4\` does`,
  );
}

const tooFew = (frames: number, span: number): BrokenVideo =>
  new BrokenVideo(`it has ${counted(frames, "frame")}, and a clip of the model takes ${grouped(span)} of them`);

interface Packets {
  /** In the order of the file. */
  readonly packets: readonly EncodedVideoChunk[];
  /** Of them, held or not. */
  readonly count: number;
  readonly config: DemuxerVideoDecoderConfig;
  /** Microseconds. */
  readonly duration: number | null;
}

interface Asked {
  readonly path: string;
  readonly container: Container;
  /** Microseconds, from which on packets are counted; null: from the beginning. */
  readonly from: number | null;
  /** Microseconds, from the key frame before which on packets are read; if absent, from the beginning. */
  readonly seek?: number;
  /** Packets from there on. */
  readonly frames: number;
  /** Whether packets are only counted, and none held. */
  readonly onlyCounted?: boolean;
}

async function readPackets(
  library: Library,
  { path, container, from, seek, frames, onlyCounted = false }: Asked,
): Promise<Packets> {
  const packets: EncodedVideoChunk[] = [];
  let [count, bytes] = [0, 0];
  let failed: Error | null = null;
  const demuxer = new library[container]({
    videoOutput(chunk: EncodedVideoChunk) {
      count++;
      if (onlyCounted) return;
      packets.push(chunk);
      bytes += chunk.byteLength;
    },
    error(error: Error) {
      failed = error;
    },
  });
  try {
    await demuxer.load(path);
    const config = demuxer.videoDecoderConfig;
    if (config === null) throw new BrokenVideo("it holds no video");
    if (seek !== undefined) demuxer.seek(Math.max(0, Math.round(seek)));
    const isEnough = (): boolean =>
      packets.filter(({ timestamp }) => from === null || timestamp >= from).length >= frames;
    for (let before = -1; count > before && !isEnough(); ) {
      before = count;
      await demuxer.demuxAsync(together);
      if (bytes > mostBytes)
        throw new BrokenVideo("its key frames lie so far apart that a clip takes more than 256 MiB");
      if (demuxer.state === "ended") break;
    }
    if (failed) throw failed;
    return { packets, count, config, duration: demuxer.duration };
  } catch (error) {
    throw error instanceof BrokenVideo
      ? error
      : new BrokenVideo(`it is damaged, or no video that is read: ${complaintOf(error)}`);
  } finally {
    demuxer.close();
  }
}

const complaintOf = (error: unknown): string => reasonOf(error).replace(/^.*FFmpeg error(?: -?\d+)?: /, "");

/** Frames come in the order in which they are seen, whatever their times say; all but those that are kept are given back at once. */
async function decoded(
  library: Library,
  config: DemuxerVideoDecoderConfig,
  packets: readonly EncodedVideoChunk[],
  kept: readonly number[],
): Promise<readonly Raster[]> {
  const frames: VideoFrame[] = [];
  const wanted = new Set(kept);
  let seen = 0;
  let failed: Error | null = null;
  const decoder = new library.VideoDecoder({
    output(frame: VideoFrame) {
      if (wanted.has(seen++)) frames.push(frame);
      else frame.close();
    },
    error(error: Error) {
      failed = error;
    },
  });
  try {
    decoder.configure(config);
    for (const packet of packets) decoder.decode(packet);
    await decoder.flush();
    if (failed) throw failed;
    if (frames.length < kept.length)
      throw new BrokenVideo(`${grouped(kept.length - frames.length)} frames of a clip cannot be decoded`);
    const rasters: Raster[] = [];
    for (const frame of frames) rasters.push(await pixelsOf(frame, config));
    return rasters;
  } catch (error) {
    throw error instanceof BrokenVideo ? error : new BrokenVideo(`it cannot be decoded: ${complaintOf(error)}`);
  } finally {
    for (const frame of frames) frame.close();
    if (decoder.state !== "closed") decoder.close();
  }
}

async function pixelsOf(frame: VideoFrame, { codedHeight, codedWidth }: DemuxerVideoDecoderConfig): Promise<Raster> {
  const [height, width] = [frame.codedHeight, frame.codedWidth];
  if (height !== codedHeight || width !== codedWidth) {
    throw new BrokenVideo(`its frames change from ${codedHeight}x${codedWidth} to ${height}x${width}`);
  }
  const pixels = new Uint8Array(frame.allocationSize({ format: "RGBA" }));
  await frame.copyTo(pixels, { format: "RGBA" });
  return { pixels, height, width, channels: 4 };
}

/**
 * Image files through sharp: orientation, channels, and the first crop and resize of a plan.
 *
 * The file's orientation (EXIF) is applied, an embedded colour profile is converted to sRGB, 8 bits stay bytes and 16 bits
 * become floats, and of an animation the first frame counts. Other samples, such as floats, are refused: what black and white
 * are is not known of them. Channels: `channels.ts`.
 */

import type { Metadata, Sharp } from "sharp";
import { invariant } from "../../../graph/index.js";
import { RunError, reasonOf, unreadable } from "../../run-error.js";
import { BrokenFile } from "../broken-file.js";
import { type Kept, mostOfOne } from "../kept.js";
import { asDeclared, type Remark, remarkOn, remarkOnDepth } from "./channels.js";
import { isImage, notImage, pictureOnly, readImageFile } from "./image-file.js";
import type { Decoded, OpenImage } from "./picture.js";
import { numbersHeader, readPngNumbers } from "./png-numbers.js";
import type { Filter, Raster } from "./raster.js";
import { loadSharp } from "./sharp.js";
import type { PixelStep } from "./steps.js";
import { strangeBands } from "./tiff.js";

/** Bytes that a picture may take when it is decoded. */
const largestPicture = 2 ** 28;
/** Those that take more wait for each other. */
const smallPicture = 64 * 2 ** 20;

/** `nearest` is carried out in `raster.ts`: sharp takes the pixel at the corner instead of the centre. */
const kernels = { bicubic: "cubic", bilinear: "linear" } as const satisfies Partial<Record<Filter, string>>;

/** What stands in a name for bytes that are no text. */
const noCharacter = "\uFFFD";
const renamed = "Its name seems not to be UTF-8: rename it.";
const wasThere = "It was there when the run began. Put it back, or start again without it.";

/**
 * Reads a file and its header. Throws `BrokenFile`, `run/channels` for numbers that are no pixels,
 * `run/unreadable` when the file itself cannot be read, or `run/decoder-missing`.
 */
export const openImage = async (path: string, kept?: Kept): Promise<OpenImage> =>
  (await kept?.files(path, () => opened(path))) ?? opened(path);

async function opened(path: string): Promise<OpenImage> {
  const bytes = await readImageFile(path).catch((error: unknown) => {
    if (error instanceof BrokenFile) throw error;
    throw unreadable(path, path.includes(noCharacter) ? renamed : wasThere, error);
  });
  const bands = strangeBands(bytes);
  if (bands !== null) throw noPicture(`${path} has ${bands} bands, which are not all colours`);
  const sharp = await loadSharp();
  const facts: Metadata = await sharp(bytes, { limitInputPixels: false }).metadata().catch(broken(path));
  const deep = facts.depth === "ushort";
  if (!deep && facts.depth !== "uchar") {
    throw noPicture(`${path} holds ${sampleWords[facts.depth] ?? facts.depth}, and image files hold 8 or 16 bits`);
  }
  const colours = facts.channels - (facts.hasAlpha ? 1 : 0) === 1 ? 1 : 3;
  const { height, width } = facts.autoOrient;
  const file = { path, bytes, height, width, colours, transparent: facts.hasAlpha, deep } as const;
  if (sizeOf(file) > largestPicture) {
    const most = Math.floor(largestPicture / sizeOf({ ...file, height: 1, width: 1 }) / 1e6);
    throw new BrokenFile(path, `it is ${height}x${width}, and at most ${most} million pixels of its kind are decoded`);
  }
  return file;
}

const sampleWords: Readonly<Record<string, string>> = {
  char: "signed bytes",
  short: "signed 16-bit integers",
  int: "32-bit integers",
  uint: "32-bit integers",
  float: "32-bit floats",
  double: "64-bit floats",
};

/** Numbers that the user has to turn into pixels. */
const noPicture = (what: string): RunError =>
  new RunError("run/channels", { what, help: "Save them as npy, floats in [0, 1] or uint8, and use `npy(...)`." });

/** Bytes that a file takes when it is decoded whole; floats are made from 16 bits. */
const sizeOf = ({ height, width, colours, transparent, deep }: Omit<OpenImage, "path" | "bytes">): number =>
  height * width * (colours + (transparent ? 1 : 0)) * (deep ? 2 + Float32Array.BYTES_PER_ELEMENT : 1);

/** In our words, what sharp says; it keeps the words of errors for all threads together, so that another may have taken them. */
const reasons: Readonly<Record<string, string>> = {
  "Unknown error": "it is damaged",
  "Input buffer contains unsupported image format": notImage,
};

const broken =
  (path: string) =>
  (error: unknown): never => {
    const reason = reasonOf(error).replace(/:$/, "");
    throw new BrokenFile(path, reasons[reason] ?? reason);
  };

/** The large picture that is being decoded. */
let busy: Promise<unknown> = Promise.resolve();

/** Decodes to `channels` channels; small pictures as `kept` has them. Throws `BrokenFile` or `run/channels`. */
export async function decode(
  file: OpenImage,
  plan: readonly PixelStep[],
  channels: number,
  kept?: Kept,
): Promise<Decoded> {
  if (kept && sizeOf(file) <= mostOfOne && !isShrunk(file, plan)) {
    // Of a file that is cut off, a part may still be there.
    const whole = () => decodeAs(file, [], channels).catch(() => null);
    const known = await kept.pictures(`${channels} ${file.path}`, whole);
    if (known !== null) return { ...known, rest: plan };
  }
  return decodeAs(file, plan, channels);
}

async function decodeAs(file: OpenImage, plan: readonly PixelStep[], channels: number): Promise<Decoded> {
  const remarks = remarkOn(file, channels);
  const whole = file.deep || (channels === 1 && file.colours === 3);
  const work = () => (whole ? decodeWhole(file, plan, channels, remarks) : decodePart(file, plan, channels, remarks));
  if (sizeOf(file) <= smallPicture) return work();
  const turn = busy.then(work, work);
  busy = turn.catch(() => undefined);
  return turn;
}

/** The crop at the head of a plan, what follows it, and its resize where that comes next and shrinks. */
function headOf(plan: readonly PixelStep[], { height, width }: Pick<OpenImage, "height" | "width">) {
  const crop = plan[0]?.kind === "crop" ? plan[0] : null;
  const afterCrop = crop === null ? plan : plan.slice(1);
  const [resize] = afterCrop;
  const cut = crop ?? { top: 0, left: 0, height, width };
  // sharp enlarges about the corner of a pixel instead of its centre, so that is left to `raster.ts`.
  const shrinks = resize?.kind === "resize" && resize.height <= cut.height && resize.width <= cut.width;
  return { cut, afterCrop, shrinking: shrinks && resize.filter !== "nearest" ? resize : null };
}

/** Whether sharp shrinks it, as for large files is much cheaper. */
const isShrunk = (file: OpenImage, plan: readonly PixelStep[]): boolean => headOf(plan, file).shrinking !== null;

/** sharp carries out a crop and a shrinking resize at the head of the plan, which for large files is much cheaper there. */
async function decodePart(
  file: OpenImage,
  plan: readonly PixelStep[],
  channels: number,
  remarks: readonly Remark[],
): Promise<Decoded> {
  const sharp = await loadSharp();
  const { cut, afterCrop, shrinking } = headOf(plan, file);
  const { top, left, height, width } = cut;
  let image: Sharp = sharp(file.bytes, { failOn: "error" }).autoOrient();
  if (file.transparent && channels < 4) image = image.flatten({ background: "#ffffff" });
  // Cut out even where it is everything: from what is not cut, sharp skips pixels of some formats while it reads them.
  image = image.extract({ top, left, height, width });
  if (shrinking) {
    const kernel = kernels[shrinking.filter as keyof typeof kernels];
    image = image.resize({ height: shrinking.height, width: shrinking.width, fit: "fill", kernel });
  }
  image = image.toColourspace(channels === 1 ? "b-w" : "srgb");
  if (channels === 4) image = image.ensureAlpha();
  const { data, info } = await image.raw().toBuffer({ resolveWithObject: true }).catch(broken(file.path));
  invariant(info.channels === channels, `${file.path} was decoded to ${info.channels} channels, not ${channels}`);
  const alpha = channels === 4 && file.transparent;
  return {
    raster: { pixels: data, height: info.height, width: info.width, channels, alpha },
    remarks,
    rest: shrinking ? afterCrop.slice(1) : afterCrop,
  };
}

/** Where every value has to be seen, or sharp would round it to a byte. */
async function decodeWhole(
  file: OpenImage,
  plan: readonly PixelStep[],
  channels: number,
  remarks: readonly Remark[],
): Promise<Decoded> {
  const sharp = await loadSharp();
  const { deep } = file;
  const space = file.colours === 1 && channels === 1 ? "grey16" : deep ? "rgb16" : "srgb";
  const image = sharp(file.bytes, { failOn: "error" }).autoOrient().toColourspace(space);
  const { data, info } = await image
    .raw({ depth: deep ? "ushort" : "uchar" })
    .toBuffer({ resolveWithObject: true })
    .catch(broken(file.path));
  const { height, width } = info;
  const pixels = deep ? inUnits(new Uint16Array(data.buffer, data.byteOffset, data.length / 2)) : data;
  const seen = { pixels, height, width, channels: info.channels, alpha: file.transparent };
  return {
    raster: asDeclared(seen, file, channels),
    remarks: [...remarks, ...remarkOnDepth(pixels)],
    rest: plan,
  };
}

function inUnits(values: Uint16Array): Float32Array {
  const result = new Float32Array(values.length);
  for (let i = 0; i < values.length; i++) result[i] = (values[i] as number) / 65_535;
  return result;
}

/** Of a file of numbers. */
const mostNumbers = 2 ** 26;

/** A file of grey levels or of a palette as numbers: the levels, or places in the palette. Throws `run/data` for any other. */
export async function readGrey({ buffer, byteOffset, length }: Uint8Array, path: string): Promise<Raster> {
  const sharp = await loadSharp();
  const bytes = pictureOnly(Buffer.from(buffer, byteOffset, length));
  const options = { failOn: "error", limitInputPixels: mostNumbers } as const;
  const unsuitable = (why: string): RunError =>
    new RunError("run/data", {
      what: `${path} ${why}`,
      help: "Save numbers of pixels as a grey PNG file of 8 or 16 bits, or as one with a palette.",
    });
  const undecodable = (error: unknown): never => {
    throw unsuitable(`cannot be decoded: ${reasonOf(error)}`);
  };
  if (bytes.length === 0) throw unsuitable("is empty");
  if (!isImage(bytes)) throw unsuitable(`cannot be decoded: ${notImage}`);
  const header = numbersHeader(bytes);
  if (header && header.width * header.height <= mostNumbers) {
    try {
      return readPngNumbers(bytes, header);
    } catch (error) {
      return undecodable(error);
    }
  }
  const facts: Metadata = await sharp(bytes, options).metadata().catch(undecodable);
  if (facts.channels !== 1) throw unsuitable("has colours, of which the numbers cannot be told");
  const image = sharp(bytes, options);
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

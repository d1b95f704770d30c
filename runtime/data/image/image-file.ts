/**
 * Image files as bytes, before anything decodes them: regular files of bounded size only, and of a PNG only the chunks that
 * make the picture. What a decoder unpacks without being asked can be a thousand times larger than the file.
 */

import { inflateSync } from "node:zlib";
import { BrokenFile, bytesOfSample } from "../broken-file.js";

/** Larger files are not read. */
const largestFile = 256 * 2 ** 20;
/** A colour profile has some kilobytes. */
const largestProfile = 4 * 2 ** 20;

/** Throws `BrokenFile` for what is no such file, and the system's error where it cannot be read. */
export async function readImageFile(path: string): Promise<Buffer> {
  const { buffer, length } = await bytesOfSample(path, largestFile);
  if (length === 0) throw new BrokenFile(path, "it is empty");
  const bytes = Buffer.from(buffer, 0, length);
  if (!isImage(bytes)) throw new BrokenFile(path, notImage);
  return pictureOnly(bytes);
}

/** What is said of content that is none of the formats which are read. */
export const notImage = "it is no JPEG, PNG, WebP, GIF, TIFF or AVIF file";

const pngSignature = "\x89PNG\r\n\x1a\n";

/** How JPEG, PNG, WebP, GIF, TIFF (also its large form, in both byte orders) and AVIF files begin; a dot is any byte. */
const beginnings = [
  ...["\xff\xd8\xff", pngSignature, "RIFF....WEBP", "GIF8", "....ftyp"],
  ...["II*\0", "MM\0*", "II+\0", "MM\0+"],
];

const begins = (bytes: Buffer, beginning: string): boolean =>
  [...beginning].every((c, i) => c === "." || bytes[i] === c.charCodeAt(0));

/** Whether the content is an image's, whatever the name says: a drawing or a document does not come to the decoder. */
export const isImage = (bytes: Buffer): boolean => beginnings.some((beginning) => begins(bytes, beginning));

/** Chunks from which colours and orientation come; texts, times and further frames are left out. */
const kept = new Set("IHDR PLTE IDAT IEND tRNS gAMA cHRM sRGB iCCP sBIT eXIf".split(" "));

/** A PNG without the chunks that make no picture: compressed texts unpack to any size. Any other file as it is. */
export function pictureOnly(bytes: Buffer): Buffer {
  if (!begins(bytes, pngSignature)) return bytes;
  const parts: Buffer[] = [];
  let from = 0;
  let at = pngSignature.length;
  while (at + 8 <= bytes.length) {
    // Length, type, data and checksum. A chunk that is cut off is the decoder's to complain of.
    const end = Math.min(bytes.length, at + 12 + bytes.readUInt32BE(at));
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (!kept.has(type) || (type === "iCCP" && !isProfile(bytes.subarray(at + 8, end)))) {
      parts.push(bytes.subarray(from, at));
      from = end;
    }
    at = end;
  }
  return parts.length === 0 ? bytes : Buffer.concat([...parts, bytes.subarray(from)]);
}

/** A name, a zero, the method of compression and the compressed profile; a decoder passes over a damaged one, too. */
function isProfile(data: Buffer): boolean {
  try {
    inflateSync(data.subarray(data.indexOf(0) + 2, -4), { maxOutputLength: largestProfile });
    return true;
  } catch {
    return false;
  }
}

/** How the frames of an MP4 or MOV file are turned before they are seen, as those of telephones are: by the words of its video track alone, which are few. */

import { openPlainFile, type PlainFile, readBytes } from "../../plain-file.js";
import { type Raster, sameKind } from "../image/raster.js";
import { BrokenVideo } from "./clip.js";

/** Where a place of a frame is seen: at column `a x + c y` and row `b x + d y`, counted from the other edge where a number is -1. */
export type Turn = readonly [a: number, b: number, c: number, d: number];

export const asStored: Turn = [1, 0, 0, 1];

interface Box {
  readonly type: string;
  /** Bytes of what it holds. */
  readonly from: number;
  readonly to: number;
}

/** Boxes that are looked at in one. */
const mostBoxes = 4096;

/** The boxes within a part of a file; one that is cut off ends them. */
async function boxesIn({ file }: PlainFile, from: number, to: number): Promise<readonly Box[]> {
  const boxes: Box[] = [];
  for (let at = from; at + 8 <= to && boxes.length < mostBoxes; ) {
    const head = Buffer.from(await readBytes(file, at, Math.min(16, to - at)));
    const [short, type] = [head.readUInt32BE(0), head.toString("latin1", 4, 8)];
    const isLong = short === 1 && head.length === 16;
    const size = isLong ? Number(head.readBigUInt64BE(8)) : short === 0 ? to - at : short;
    const start = at + (isLong ? 16 : 8);
    if (at + size > to || at + size < start) break;
    boxes.push({ type, from: start, to: at + size });
    at += size;
  }
  return boxes;
}

/** Throws `BrokenVideo` for frames that are turned by less than a quarter. */
export async function turnOf(path: string): Promise<Turn> {
  const plain = await openPlainFile(path);
  try {
    const within = async (outer: Box | undefined, type: string): Promise<readonly Box[]> =>
      outer ? (await boxesIn(plain, outer.from, outer.to)).filter((box) => box.type === type) : [];
    const [movie] = await within({ type: "", from: 0, to: plain.size }, "moov");
    for (const track of await within(movie, "trak")) {
      const [media] = await within(track, "mdia");
      const [handler] = await within(media, "hdlr");
      const [header] = await within(track, "tkhd");
      if (!handler || !header || (await wordAt(plain, handler.from + 8)) !== "vide") continue;
      return turnIn(Buffer.from(await readBytes(plain.file, header.from, header.to - header.from)));
    }
    return asStored;
  } finally {
    await plain.file.close();
  }
}

const wordAt = async ({ file, size }: PlainFile, at: number): Promise<string> =>
  at + 4 > size ? "" : Buffer.from(await readBytes(file, at, 4)).toString("latin1");

function turnIn(header: Buffer): Turn {
  // Of the second version, three numbers have eight bytes.
  const matrix = header[0] === 1 ? 52 : 40;
  if (header.length < matrix + 20) return asStored;
  const [a, b, c, d] = [0, 4, 12, 16].map((at) => header.readInt32BE(matrix + at) / 2 ** 16) as [
    number,
    number,
    number,
    number,
  ];
  // Nothing was written.
  if ([a, b, c, d].every((part) => part === 0)) return asStored;
  const turn: Turn = [Math.sign(a), Math.sign(b), Math.sign(c), Math.sign(d)];
  const isQuarter =
    Math.abs(turn[0]) + Math.abs(turn[1]) === 1 && turn[0] ** 2 === turn[3] ** 2 && turn[1] ** 2 === turn[2] ** 2;
  if (!isQuarter) throw new BrokenVideo("its frames are turned by an angle that is no quarter of a circle");
  return turn;
}

/** A frame as it is seen. */
export function turned({ pixels, height, width, ...same }: Raster, [a, b, c, d]: Turn): Raster {
  const { channels } = same;
  const result = sameKind(pixels, pixels.length);
  const [rows, columns] = a === 0 ? [width, height] : [height, width];
  const along = (byColumn: number, byRow: number, column: number, row: number): number =>
    byColumn === 0 ? (byRow > 0 ? row : height - 1 - row) : byColumn > 0 ? column : width - 1 - column;
  for (let row = 0, from = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const to = (along(b, d, column, row) * columns + along(a, c, column, row)) * channels;
      for (let k = 0; k < channels; k++) result[to + k] = pixels[from++] as number;
    }
  }
  return { ...same, pixels: result, height: rows, width: columns };
}

/** Small pictures of plain shapes, so that a new project has something to learn from before it has data. */

import { crc32, deflateSync } from "node:zlib";

export const shapeNames = ["disk", "square", "triangle"] as const;
export type ShapeName = (typeof shapeNames)[number];

/** Signed distance to a shape of radius 1 around the origin; negative inside. */
const distances: Record<ShapeName, (x: number, y: number) => number> = {
  disk: (x, y) => Math.hypot(x, y) - 1,
  square: (x, y) => Math.max(Math.abs(x), Math.abs(y)) - 0.85,
  triangle: (x, y) => Math.max(y - 0.6, 0.866 * Math.abs(x) - 0.5 * y - 0.55),
};

/** A generator of numbers in [0, 1) from a seed: mulberry32. */
function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** One picture as a PNG file, `side` x `side` pixels: a shape of some colour, size, place and turn on a sloping ground. */
export function drawShape(shape: ShapeName, seed: number, side = 32): Buffer {
  const random = randomFrom(seed);
  const color = () => [random(), random(), random()].map((c) => 255 * c);
  const [ground, slope, ink] = [color(), color(), color()];
  const turn = random() * 2 * Math.PI;
  const radius = side * (0.2 + 0.15 * random());
  const [centerX, centerY] = [side * (0.35 + 0.3 * random()), side * (0.35 + 0.3 * random())];
  const pixels = new Uint8Array(side * side * 3);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const [u, v] = [(x + 0.5 - centerX) / radius, (y + 0.5 - centerY) / radius];
      const [turnedX, turnedY] = [u * Math.cos(turn) + v * Math.sin(turn), v * Math.cos(turn) - u * Math.sin(turn)];
      // One pixel of soft edge.
      const cover = Math.min(1, Math.max(0, 0.5 - distances[shape](turnedX, turnedY) * radius));
      for (let c = 0; c < 3; c++) {
        const behind = mix(ground[c] ?? 0, slope[c] ?? 0, (x + y) / (2 * side));
        pixels[(y * side + x) * 3 + c] = mix(behind, ink[c] ?? 0, cover);
      }
    }
  }
  return encodePng(pixels, side, side);
}

const mix = (a: number, b: number, share: number): number => a + (b - a) * share;

/** RGB bytes [H, W, 3] as a PNG file (ISO/IEC 15948): 8 bits a channel, no filter. */
export function encodePng(pixels: Uint8Array, height: number, width: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 2, 0, 0, 0], 8);
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0; y < height; y++)
    rows.set(pixels.subarray(y * width * 3, (y + 1) * width * 3), y * (1 + width * 3) + 1);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  framed.set(body, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** Image files of every kind: what is read of them, to the value, and what is refused before it takes memory or time. */

import { execFileSync } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import sharp, { type Sharp } from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { decode, openImage } from "../../runtime/data/image/decode.js";
import type { Geometry } from "../../runtime/data/image/raster.js";
import { applySteps } from "../../runtime/data/image/steps.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "maelang-images-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** Writes a file and gives its path. */
async function written(name: string, content: Uint8Array | string | Sharp): Promise<string> {
  const path = join(folder, name);
  if (typeof content === "string" || content instanceof Uint8Array) await writeFile(path, content);
  else await content.toFile(path);
  return path;
}

/** What a model of so many channels is given of a file: values in 0..255, and what is said of the file. */
async function read(path: string, channels: number, plan: readonly Geometry[] = []) {
  const { raster, remarks, rest } = await decode(await openImage(path), plan, channels);
  const { pixels, ...size } = applySteps(raster, rest);
  const values = Array.from(pixels, (value) => (pixels instanceof Uint8Array ? value : value * 255));
  return { values, remarks, height: size.height, width: size.width };
}

const raw = (values: Uint8Array | Uint16Array, width: number, height: number, channels: 1 | 2 | 3 | 4) =>
  sharp(values, { raw: { width, height, channels } });

const largestDifference = (a: readonly number[], b: readonly number[]): number =>
  Math.max(...a.map((value, i) => Math.abs(value - (b[i] as number))));

const resize = (height: number, width: number, filter: "bicubic" | "bilinear" | "nearest" = "bicubic"): Geometry => ({
  kind: "resize",
  height,
  width,
  filter,
});

describe("pixels", () => {
  it.each(["jpeg", "webp"] as const)("of %s files shrink as those of png files do", async (format) => {
    const compressed = await sharp("test/reference/photographs/chelsea.png").resize(200)[format]().toBuffer();
    const one = await written(`photograph.${format}`, compressed);
    const other = await written(`${format}.png`, sharp(compressed).png());
    for (const plan of [
      [resize(24, 36)],
      [resize(40, 60, "bilinear"), { kind: "flip", axis: "horizontal" } as const],
    ]) {
      const [a, b] = [await read(one, 3, plan), await read(other, 3, plan)];
      expect(largestDifference(a.values, b.values)).toBe(0);
    }
  });

  it("are taken by nearest from the centres, as of arrays", async () => {
    const row = await written(
      "row.png",
      raw(
        Uint8Array.from({ length: 160 }, (_, x) => x),
        160,
        1,
        1,
      ).toColourspace("b-w"),
    );
    expect((await read(row, 1, [resize(1, 6, "nearest")])).values).toEqual([13, 40, 66, 93, 120, 146]);
  });

  it("of 16 bits keep their value whatever the number of channels", async () => {
    const grey = await written("grey16.png", raw(Uint16Array.of(2000, 65535), 2, 1, 1).toColourspace("grey16"));
    const [a, b] = [2000 / 257, 255];
    const expected = { 1: [a, b], 3: [a, a, a, b, b, b], 4: [a, a, a, 255, b, b, b, 255] };
    for (const [channels, values] of Object.entries(expected)) {
      expect(largestDifference((await read(grey, Number(channels))).values, values)).toBeLessThan(1e-4);
    }
    const glass = Uint16Array.of(1000, 2000, 3000, 65535, 40000, 50000, 60000, 0);
    const colour = await written("rgba16.png", raw(glass, 2, 1, 4).toColourspace("rgb16"));
    const seen = [1000 / 257, 2000 / 257, 3000 / 257];
    expect(largestDifference((await read(colour, 3)).values, [...seen, 255, 255, 255])).toBeLessThan(1e-4);
    expect(largestDifference((await read(colour, 4)).values.slice(0, 4), [...seen, 255])).toBeLessThan(1e-4);
  });

  it("of 16 bits that seem to be 12 keep all their levels, and that is said", async () => {
    const levels = Uint16Array.from({ length: 4096 }, (_, i) => i);
    const file = await written("twelve.png", raw(levels, 64, 64, 1).toColourspace("grey16"));
    const { values, remarks } = await read(file, 1);
    expect([new Set(values).size, remarks]).toEqual([4096, ["dark"]]);
  });

  it("that cannot be seen do not bleed into others", async () => {
    const two = await written("two.png", raw(Uint8Array.of(0, 255, 0, 0, 255, 0, 0, 255), 2, 1, 4));
    // As Pillow, which mixes colours by their transparency.
    const expected = [0, 0, 0, 0, 255, 0, 0, 64, 255, 0, 0, 191, 255, 0, 0, 255];
    expect((await read(two, 4, [resize(1, 4, "bilinear")])).values).toEqual(expected);
    expect((await read(two, 4, [resize(1, 4, "nearest")])).values.slice(0, 4)).toEqual([0, 255, 0, 0]);
  });

  it("of a resized and cropped image are those of the whole, though only the crop is computed", async () => {
    const line = await written(
      "line.png",
      raw(
        Uint8Array.from({ length: 60 }, (_, i) => 4 * i),
        20,
        1,
        3,
      ),
    );
    const crop = { kind: "crop", top: 3, left: 100, height: 5, width: 9 } as const;
    const whole = await read(line, 3, [
      resize(30, 600),
      { kind: "flip", axis: "vertical" },
      { kind: "flip", axis: "vertical" },
      crop,
    ]);
    expect(await read(line, 3, [resize(30, 600), crop])).toEqual(whole);
    // All of it would be 96 gigabytes.
    expect((await read(line, 3, [resize(40_000, 800_000), { ...crop, left: 400_000 }])).values).toHaveLength(135);
  });
});

describe("grey", () => {
  const noise = Uint8Array.from({ length: 1024 }, (_, i) => (i * i * 7) % 256);
  it.each(["png", "gif", "webp", "avif", "jpeg"] as const)("is read from the colours of %s files", async (format) => {
    const grey = raw(noise, 32, 32, 1).toColourspace("srgb");
    const file = await written(`equal.${format}`, grey[format]());
    const { values, remarks } = await read(file, 1);
    expect(remarks.includes("equal")).toBe((await openImage(file)).colours === 3);
    expect(
      largestDifference(
        values,
        (await read(file, 3)).values.filter((_, i) => i % 3 === 1),
      ),
    ).toBeLessThanOrEqual(1);
  });

  it("is not made of colours", async () => {
    const coloured = await written("coloured.png", raw(Uint8Array.of(9, 9, 9, 9, 9, 12), 2, 1, 3));
    await expect(read(coloured, 1)).rejects.toMatchObject({
      code: "run/channels",
      what: expect.stringMatching(/colours/),
    });
  });
});

/** An uncompressed TIFF file of one row of two pixels. */
function tiff({
  bits,
  bands,
  format = 1,
  colourSpace = 1,
  extra,
}: {
  bits: number;
  bands: number;
  format?: number;
  colourSpace?: number;
  extra?: number;
}) {
  const data = Buffer.alloc((2 * bands * bits) / 8, 7);
  const tags: readonly (readonly [number, number])[] = [
    [256, 2],
    [257, 1],
    [258, bits],
    [259, 1],
    [262, colourSpace],
    [273, 8],
    [277, bands],
    [278, 1],
    [279, data.length],
    ...(extra === undefined ? [] : [[338, extra] as const]),
    [339, format],
  ];
  const directory = Buffer.alloc(2 + 12 * tags.length + 4);
  directory.writeUInt16LE(tags.length);
  for (const [i, [tag, value]] of tags.entries()) {
    directory.writeUInt16LE(tag, 2 + 12 * i);
    directory.writeUInt16LE(3, 4 + 12 * i);
    directory.writeUInt32LE(1, 6 + 12 * i);
    directory.writeUInt16LE(value, 10 + 12 * i);
  }
  const header = Buffer.from("II*\0\0\0\0\0", "latin1");
  header.writeUInt32LE(8 + data.length, 4);
  return Buffer.concat([header, data, directory]);
}

describe("numbers that are no pixels", () => {
  it.each([
    ["floats", { bits: 32, bands: 1, format: 3 }, "32-bit floats"],
    ["signed integers", { bits: 16, bands: 1, format: 2 }, "signed 16-bit integers"],
    ["large integers", { bits: 32, bands: 1 }, "32-bit integers"],
    ["a second band", { bits: 8, bands: 2, extra: 0 }, "2 bands"],
    ["four bands", { bits: 8, bands: 4 }, "4 bands"],
    ["five bands", { bits: 8, bands: 5, colourSpace: 2, extra: 0 }, "5 bands"],
    ["a band beside colours", { bits: 8, bands: 4, colourSpace: 2, extra: 0 }, "4 bands"],
  ])("are refused in words: %s", async (name, facts, words) => {
    const file = await written(`${name}.tif`, tiff(facts));
    await expect(openImage(file)).rejects.toMatchObject({
      code: "run/channels",
      what: expect.stringContaining(words),
      help: expect.stringContaining("npy"),
    });
  });

  it("are not what has transparency, or 16 bits", async () => {
    const glass = await written("glass.tif", tiff({ bits: 8, bands: 2, extra: 2 }));
    expect(await openImage(glass)).toMatchObject({ colours: 1, transparent: true });
    expect((await read(await written("deep.tif", tiff({ bits: 16, bands: 1 })), 1)).values[0]).toBeCloseTo(
      0x0707 / 257,
      4,
    );
  });
});

const chunk = (type: string, data: Uint8Array): Buffer => {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  sum.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, sum]);
};

/** A grey PNG file with whatever header and chunks. */
function png(width: number, height: number, rows: Uint8Array, more: readonly Buffer[] = []): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    ...more,
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

describe("files that would take memory or time", () => {
  const square = Buffer.concat(Array.from({ length: 4 }, () => Buffer.of(0, 50, 100, 150, 200)));

  it("are read without their texts and profiles, which may unpack to anything", async () => {
    const large = deflateSync(Buffer.alloc(30_000_000));
    const bomb = [
      ...Array.from({ length: 9 }, () => chunk("zTXt", Buffer.concat([Buffer.from("a\0\0"), large]))),
      chunk("iTXt", Buffer.concat([Buffer.from("a\0\x01\0\0\0"), large])),
      chunk("iCCP", Buffer.concat([Buffer.from("a\0\0"), large])),
    ];
    const before = process.memoryUsage().rss;
    const { values } = await read(await written("bomb.png", png(4, 4, square, bomb)), 1);
    expect(values).toEqual([...square].filter((_, i) => i % 5 !== 0));
    expect(process.memoryUsage().rss - before).toBeLessThan(100_000_000);
  });

  it("are refused in words: too many pixels, none, cut off, no pictures", async () => {
    const refused: readonly (readonly [Uint8Array | string, RegExp])[] = [
      [png(65_535, 65_535, square), /65535x65535, and at most 268 million pixels/],
      [png(2 ** 31 - 1, 2 ** 31 - 1, square), /./],
      [png(0, 0, square), /./],
      [png(4, 4, square).subarray(0, -40), /./],
      ['<svg xmlns="http://www.w3.org/2000/svg" width="100000" height="100000"></svg>', /no JPEG, PNG/],
      ["%PDF-1.7\n", /no JPEG, PNG/],
    ];
    for (const [content, why] of refused) {
      const file = await written("refused.png", content);
      await expect(read(file, 1)).rejects.toMatchObject({ name: "BrokenFile", why: expect.stringMatching(why) });
    }
  });

  it.runIf(process.platform === "linux")("are refused in words: devices, pipes and folders", async () => {
    await symlink("/dev/zero", join(folder, "zero.png"));
    execFileSync("mkfifo", [join(folder, "pipe.png")]);
    for (const name of ["zero.png", "pipe.png", "."]) {
      await expect(openImage(join(folder, name))).rejects.toMatchObject({
        name: "BrokenFile",
        why: expect.stringMatching(/pipe|folder|device/),
      });
    }
  });
});

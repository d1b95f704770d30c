/**
 * The events of a run as files that TensorBoard reads: scalars and pictures. A file is a sequence of records (TFRecord: length and data, each
 * with a checksum) of `Event` messages in the wire format of protocol buffers, of which a few fields are needed.
 */

import { appendFileSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import type { TrainEvent } from "../../runtime/index.js";
import { unwritable } from "../specs/files.js";

/** Opens a new event file in a run's folder. Of a run that goes on, it takes back what earlier files say of later steps. */
export function tensorboardLog(directory: string, goesOn: boolean): (event: TrainEvent) => void {
  const path = join(directory, `events.out.tfevents.${String(Date.now()).padStart(13, "0")}.mae`);
  const write = (...records: readonly Uint8Array[]): void => {
    try {
      appendFileSync(path, Buffer.concat(records));
    } catch (error) {
      throw unwritable(path, error);
    }
  };
  return (event) => {
    const time = Date.now() / 1000;
    if (event.kind === "start") {
      const head = record(message(field(1, time), bytes(3, "brain.Event:2")));
      // A session that starts at a step makes TensorBoard forget later ones of earlier files.
      const session = message(field(1, time), count(2, event.step + 1), bytes(7, message(count(1, 1))));
      write(head, ...(goesOn ? [record(session)] : []));
    } else {
      const own = eventRecord(event, time);
      if (own) write(own);
    }
  };
}

/** What a file has of an event; null: nothing. `time`: seconds since 1970. */
export function eventRecord(event: TrainEvent, time: number): Uint8Array | null {
  const values = valuesOf(event);
  if (values.length === 0 || !("step" in event)) return null;
  const summary = message(...values.map((value) => bytes(1, value)));
  return record(message(field(1, time), count(2, event.step), bytes(5, summary)));
}

/** `Summary.Value` messages. */
function valuesOf(event: TrainEvent): readonly Uint8Array[] {
  switch (event.kind) {
    case "step": {
      const { loss, terms, lr, gradientNorm, imagesPerSecond, waiting } = event;
      return [
        scalar("loss", loss),
        ...(Object.keys(terms).length > 1
          ? Object.entries(terms).map(([name, value]) => scalar(`loss/${name}`, value))
          : []),
        scalar("learning_rate", lr),
        ...(gradientNorm === undefined ? [] : [scalar("gradient_norm", gradientNorm)]),
        scalar("samples_per_second", imagesPerSecond),
        scalar("waiting", waiting),
      ];
    }
    case "probe":
      return Object.entries(event.scores).map(([score, value]) => scalar(`${event.name}/${score}`, value));
    case "picture":
      return [picture(basename(event.path).replace(/(?:-\d+)?\.png$/, ""), readFileSync(event.path))];
    default:
      return [];
  }
}

function scalar(tag: string, value: number): Uint8Array {
  const number = Buffer.alloc(5);
  number[0] = (2 << 3) | 5;
  number.writeFloatLE(value, 1);
  return message(bytes(1, tag), number);
}

/** `Summary.Image` of a PNG file: its size stands in its head. */
function picture(tag: string, png: Buffer): Uint8Array {
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)];
  return message(bytes(1, tag), bytes(4, message(count(1, height), count(2, width), count(3, 3), bytes(4, png))));
}

const message = (...fields: readonly Uint8Array[]): Uint8Array => Buffer.concat(fields);

/** A field with a double. */
function field(number: number, value: number): Uint8Array {
  const result = Buffer.alloc(9);
  result[0] = (number << 3) | 1;
  result.writeDoubleLE(value, 1);
  return result;
}

/** A field with a whole number that is not negative. */
const count = (number: number, value: number): Uint8Array => Buffer.concat([Buffer.of(number << 3), varint(value)]);

/** A field with a text, bytes or another message. */
function bytes(number: number, value: string | Uint8Array): Uint8Array {
  const data = typeof value === "string" ? Buffer.from(value) : value;
  return Buffer.concat([Buffer.of((number << 3) | 2), varint(data.length), data]);
}

/** Seven bits a byte, the lowest first. */
function varint(value: number): Uint8Array {
  const result: number[] = [];
  let rest = value;
  for (; rest >= 128; rest = Math.floor(rest / 128)) result.push((rest % 128) + 128);
  return Uint8Array.of(...result, rest);
}

function record(data: Uint8Array): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(data.length));
  return Buffer.concat([length, checksum(length), data, checksum(data)]);
}

/** Castagnoli's polynomial, its bits reversed. */
const polynomial = 0x82f63b78;
const table = Uint32Array.from({ length: 256 }, (_, i) => {
  let rest = i;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? (rest >>> 1) ^ polynomial : rest >>> 1;
  return rest;
});

/** The checksum of TFRecord: a CRC, turned and moved, so that the CRC of data with CRCs in it stays of use. */
function checksum(data: Uint8Array): Buffer {
  let crc = 0xffffffff;
  for (const byte of data) crc = (table[(crc ^ byte) & 255] as number) ^ (crc >>> 8);
  crc = (crc ^ 0xffffffff) >>> 0;
  const masked = (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
  const result = Buffer.alloc(4);
  result.writeUInt32LE(masked);
  return result;
}

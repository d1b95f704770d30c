/** What a TIFF file says of its samples: whether a band beyond the colours is transparency, which the decoder only supposes. */

/** Tags of the first picture. */
interface Samples {
  /** Number of a colour space: 2 is red, green and blue. */
  readonly colourSpace: number;
  readonly bands: number;
  /** What each band beyond the colours is. */
  readonly extra: readonly number[];
}

const tags = { colourSpace: 262, bands: 277, extra: 338 } as const;
/** Bytes of the types of values that these tags have. */
const sizes: Readonly<Record<number, 1 | 2 | 4>> = { 1: 1, 3: 2, 4: 4 };
/** Entries of a directory that are looked at; there are some dozens. */
const mostEntries = 4096;
/** Bands that are looked at. */
const mostBands = 64;

/** Bands of each colour space; any other has one. */
const colourBands: Readonly<Record<number, number>> = { 2: 3, 5: 4, 6: 3, 8: 3, 9: 3 };
/** Values of `extra` that mean transparency, multiplied into the colours or not. */
const transparency: readonly (number | undefined)[] = [1, 2];

/**
 * The number of bands of a file with bands that are neither colours nor transparency; null for a usual picture, and for
 * what is no TIFF file.
 */
export function strangeBands(bytes: Buffer): number | null {
  const samples = samplesOf(bytes);
  if (samples === null) return null;
  const beyond = samples.bands - (colourBands[samples.colourSpace] ?? 1);
  if (beyond <= 0 || (beyond === 1 && transparency.includes(samples.extra[0]))) return null;
  return samples.bands;
}

/** null: no TIFF file, or one so damaged that the decoder will complain of it. */
function samplesOf(bytes: Buffer): Samples | null {
  const order = bytes.toString("latin1", 0, 2);
  if (order !== "II" && order !== "MM") return null;
  try {
    return readSamples(bytes, order === "II");
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Throws `RangeError` where the file ends too early. */
function readSamples(bytes: Buffer, little: boolean): Samples | null {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const version = view.getUint16(2, little);
  if (version !== 42 && version !== 43) return null;
  // The large form has offsets and counts of eight bytes.
  const large = version === 43;
  const offset = (at: number): number => (large ? Number(view.getBigUint64(at, little)) : view.getUint32(at, little));
  const directory = offset(large ? 8 : 4);
  const entries = large ? offset(directory) : view.getUint16(directory, little);
  const [first, length, inline] = large ? [directory + 8, 20, 8] : [directory + 2, 12, 4];
  const found = new Map<number, readonly number[]>();
  for (let entry = 0; entry < Math.min(entries, mostEntries); entry++) {
    const at = first + entry * length;
    const size = sizes[view.getUint16(at + 2, little)];
    if (size === undefined) continue;
    const count = offset(at + 4);
    const place = at + length - inline;
    const values = count * size <= inline ? place : offset(place);
    const tag = view.getUint16(at, little);
    if (!Object.values<number>(tags).includes(tag)) continue;
    found.set(
      tag,
      Array.from({ length: Math.min(count, mostBands) }, (_, i) => numberAt(view, values + i * size, size, little)),
    );
  }
  return {
    colourSpace: found.get(tags.colourSpace)?.[0] ?? 1,
    bands: found.get(tags.bands)?.[0] ?? 1,
    extra: found.get(tags.extra) ?? [],
  };
}

function numberAt(view: DataView, at: number, size: 1 | 2 | 4, little: boolean): number {
  if (size === 1) return view.getUint8(at);
  return size === 2 ? view.getUint16(at, little) : view.getUint32(at, little);
}

/** Reads the fixtures of this folder; on purpose not with our own checkpoint reader, which they also judge. */

import { readFileSync } from "node:fs";

type Stored = Float32Array | Float64Array | Int32Array;

const arrays = { F32: Float32Array, F64: Float64Array, I32: Int32Array } as const;

export interface Fixture<Header> {
  readonly header: Header;
  /** A tensor's values; throws when there is none of that name. */
  readonly values: (name: string) => Stored;
  readonly shape: (name: string) => readonly number[];
  readonly names: readonly string[];
}

export function readFixture<Header>(name: string): Fixture<Header> {
  const header = JSON.parse(readFileSync(new URL(`${name}.json`, import.meta.url), "utf8")) as Header;
  const bytes = new Uint8Array(readFileSync(new URL(`${name}.safetensors`, import.meta.url))).buffer;
  const start = 8 + Number(new DataView(bytes).getBigUint64(0, true));
  const table = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 8, start - 8))) as Record<
    string,
    { readonly dtype: keyof typeof arrays; readonly shape: readonly number[]; readonly data_offsets: [number, number] }
  >;
  const entry = (tensor: string) => {
    const found = table[tensor];
    if (found === undefined) throw new Error(`${name} has no ${tensor}`);
    return found;
  };
  return {
    header,
    names: Object.keys(table).filter((key) => key !== "__metadata__"),
    shape: (tensor) => entry(tensor).shape,
    values(tensor) {
      const { dtype, data_offsets } = entry(tensor);
      return new arrays[dtype](bytes.slice(start + data_offsets[0], start + data_offsets[1]));
    },
  };
}

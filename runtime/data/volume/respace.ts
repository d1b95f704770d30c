/**
 * Another spacing, axis by axis, by lines between neighbouring voxels or by the nearest one. The centres of both first voxels lie at one
 * place, and as many follow as lie within the volume: the numbers of nibabel's `resample_to_output` and MONAI's `Spacing`, without what
 * those put beyond the last voxel. Any box of the result is computed from its part of the volume.
 */

import { BrokenVolume, checkHeld, type Triple, triple, type Volume } from "./volume.js";

export type Between = "lines" | "nearest";

/** Spacings that differ by less are the same. */
const tolerance = 1e-4;

export const isSpacing = (has: Triple, wanted: Triple): boolean =>
  has.every((own, a) => Math.abs(own - (wanted[a] as number)) <= tolerance * (wanted[a] as number));

/** Throws `BrokenVolume` where it does not say its spacing. */
export function respaced(volume: Volume, wanted: Triple, by: Between): Volume {
  const { spacing, size, channels } = volume;
  if (spacing === null)
    throw new BrokenVolume("it does not say how large its voxels are, so that they cannot be resampled");
  if (isSpacing(spacing, wanted)) return volume;
  const scale = triple((a) => wanted[a] / spacing[a]);
  return {
    spacing: wanted,
    channels,
    size: triple((a) => Math.floor((size[a] - 1) / scale[a] + 1e-6) + 1),
    async read(from, to) {
      const low = triple((a) => Math.max(0, Math.floor(from[a] * scale[a])));
      const high = triple((a) => Math.min(size[a], Math.ceil((to[a] - 1) * scale[a]) + 2));
      const box = triple((a) => high[a] - low[a]);
      checkHeld(box, channels);
      checkHeld(
        triple((a) => Math.max(box[a], to[a] - from[a])),
        channels,
      );
      let values = await volume.read(low, high);
      const current = [...box] as [number, number, number];
      for (const a of [0, 1, 2] as const) {
        const places = Float64Array.from({ length: to[a] - from[a] }, (_, i) => (from[a] + i) * scale[a] - low[a]);
        const before = current.slice(0, a).reduce((product, length) => product * length, 1);
        const after = current.slice(a + 1).reduce((product, length) => product * length, channels);
        values = along(values, { before, length: current[a], after }, places, by);
        current[a] = places.length;
      }
      return values;
    },
  };
}

interface Layout {
  readonly before: number;
  readonly length: number;
  readonly after: number;
}

/** The values at places of the middle axis of [before, length, after]. */
function along(
  values: Float32Array,
  { before, length, after }: Layout,
  places: Float64Array,
  by: Between,
): Float32Array {
  const result = new Float32Array(before * places.length * after);
  for (const [i, place] of places.entries()) {
    const near = Math.min(length - 1, by === "nearest" ? Math.round(place) : Math.floor(place));
    const next = Math.min(length - 1, near + 1);
    const share = by === "nearest" ? 0 : place - near;
    for (let b = 0; b < before; b++) {
      const [first, second] = [(b * length + near) * after, (b * length + next) * after];
      const out = (b * places.length + i) * after;
      for (let k = 0; k < after; k++) {
        const value = values[first + k] as number;
        result[out + k] = share === 0 ? value : value + share * ((values[second + k] as number) - value);
      }
    }
  }
  return result;
}

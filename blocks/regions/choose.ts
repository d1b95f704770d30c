/** From label maps to the binary maps of a few regions, drawn at random. */

import type { Random } from "../../graph/index.js";
import { boxLength, type Lattice, patchPlaces, tokenCount } from "../sets.js";
import type { LabelMap } from "./contract.js";

/** The pixels of one number of one map. */
interface Region {
  readonly map: number;
  readonly label: number;
}

export interface Choice {
  /** Regions wanted, R. */
  readonly count: number;
  /** Regions that touch fewer patches are left out. */
  readonly touching: number;
  /** A label that is no region. */
  readonly ignored: number | null;
}

/**
 * Label maps of an image [H, W] -> [H, W, R] with 1 where a pixel belongs to a region, 0 elsewhere. Regions are drawn uniformly and
 * without repetition; where there are fewer than R, each comes as often as it takes and any R of them are kept; where there is
 * none, all is 0.
 */
export function regionMaps(maps: readonly LabelMap[], grid: Lattice, choice: Choice, random: Random): Float32Array {
  const pixels = tokenCount(grid) * boxLength(grid);
  const result = new Float32Array(pixels * choice.count);
  const regions = regionsOf(maps, grid, choice);
  for (const [place, { map, label }] of drawn(regions, choice.count, random).entries()) {
    const labels = maps[map] as LabelMap;
    for (let i = 0; i < pixels; i++) if (labels[i] === label) result[i * choice.count + place] = 1;
  }
  return result;
}

/** All regions that touch enough patches: by map, then by label. */
function regionsOf(maps: readonly LabelMap[], grid: Lattice, { touching, ignored }: Choice): readonly Region[] {
  return maps.flatMap((labels, map) =>
    [...patchesTouched(labels, grid)]
      .filter(([label, patches]) => patches >= touching && label !== ignored)
      .map(([label]) => label)
      .sort((a, b) => a - b)
      .map((label) => ({ map, label })),
  );
}

/** For each label, the number of patches in which it occurs. */
function patchesTouched(labels: LabelMap, grid: Lattice): ReadonlyMap<number, number> {
  const touched = new Map<number, number>();
  for (let token = 0; token < tokenCount(grid); token++) {
    const within = new Set(patchPlaces(grid, token).map((place) => labels[place] as number));
    for (const label of within) touched.set(label, (touched.get(label) ?? 0) + 1);
  }
  return touched;
}

function drawn(regions: readonly Region[], count: number, random: Random): readonly Region[] {
  if (regions.length === 0) return [];
  const times = Math.ceil(count / regions.length);
  const pool = Array.from({ length: times }, () => regions).flat();
  return Array.from({ length: count }, (_, i) => {
    const place = i + random.integer(pool.length - i);
    const region = pool[place] as Region;
    pool[place] = pool[i] as Region;
    return region;
  });
}

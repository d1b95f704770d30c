/** A source of regions as the value of another block's parameter. */

import { type BlockValue, blockParam } from "../block-values.js";
import { DataError } from "../dataset/contract.js";
import type { Param } from "../params.js";
import type { LabelMap, RegionSample, RegionSource } from "./contract.js";

export const sourceParam: Param<BlockValue<RegionSource>> = blockParam({
  of: "regions",
  doc: "Where regions come from.",
});

/** A source with its values. */
export interface BoundSource {
  /** At least one map, each of the image's size. Throws `DataError` where a source of a project gives something else. */
  readonly maps: (sample: RegionSample) => readonly LabelMap[];
  /** What a field says of the files that the source reads. */
  readonly files: { readonly beside?: string };
  /** A label that is no region. */
  readonly ignored: number | null;
}

export function boundSource({ block: source, values }: BlockValue<RegionSource>): BoundSource {
  const given = values;
  const folder = source.folder?.(given);
  return {
    maps: (sample) => checked(source.name, source.maps(given, sample), sample),
    files: folder === undefined ? {} : { beside: folder },
    ignored: source.ignored?.(given) ?? null,
  };
}

function checked(name: string, maps: readonly LabelMap[], { shape }: RegionSample): readonly LabelMap[] {
  const { height, width } = shape;
  const fits = (map: unknown): boolean => map instanceof Int32Array && map.length === height * width;
  if (Array.isArray(maps) && maps.length > 0 && maps.every(fits)) return maps;
  throw new DataError(
    `\`maps\` of \`${name}\` does not give a list of label maps, each an Int32Array of ${height} x ${width} numbers`,
    "Mend the block.",
  );
}

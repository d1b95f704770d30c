/** A source of regions as the value of another block's parameter. */

import { invariant } from "../../graph/index.js";
import type { Requirement } from "../block.js";
import { type BlockValue, block, type Param } from "../params.js";
import type { LabelMap, RegionSample, RegionSource } from "./contract.js";
import { felzenszwalb } from "./felzenszwalb.js";
import { labelMaps } from "./label-maps.js";

/** The sources of regions, sorted by name. */
export const regionSources = [felzenszwalb, labelMaps] as const;

const known = (name: string): RegionSource | undefined =>
  (regionSources as readonly RegionSource[]).find((source) => source.name === name);

export const sourceParam: Param<BlockValue> = block({ of: "regions", doc: "Where regions come from." });

export const knownSource: Requirement<{ readonly source: Param<BlockValue> }, unknown> = {
  name: "known-source",
  at: "source",
  doc: "The source is one of maelang's own: it has to be found again in the data workers.",
  holds: (p) => known(p.source.block) !== undefined,
  say: (p) => `the source \`${p.source.block}\` is of a project, and only maelang's own can be used here`,
  help: () => "write a block of the project that computes its regions itself, or read them with `label_maps`",
};

/** A source with its values. */
export interface BoundSource {
  readonly maps: (sample: RegionSample) => readonly LabelMap[];
  /** What a field says of the files that the source reads. */
  readonly files: { readonly beside?: string };
  /** A label that is no region. */
  readonly ignored: number | null;
}

export function boundSource({ block: name, values }: BlockValue): BoundSource {
  const definition = known(name);
  invariant(definition, `the checker lets through only known sources of regions, not ${name}`);
  const given = values as never;
  const folder = definition.folder?.(given);
  return {
    maps: (sample) => definition.maps(given, sample),
    files: folder === undefined ? {} : { beside: folder },
    ignored: definition.ignored?.(given) ?? null,
  };
}

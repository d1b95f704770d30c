/** Which part of a model each weight belongs to, and its place there: what a key map goes by instead of names. */

import { type Initializer, namedParameters, type Parameter } from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Assembly } from "./assemble.js";
import { layoutOf } from "./layout.js";
import { decoderPositions, encoderPositions, modelWeights } from "./weights.js";

/** What the rows of a position table stand for: `extra` tokens in front of a grid of patches. */
export interface TablePlaces {
  readonly rows: number;
  readonly columns: number;
  readonly extra: number;
}

export interface OwnedWeight {
  /** In a checkpoint. */
  readonly name: string;
  /** Names of the parts it belongs to, as a spec writes them, the widest first: `encoder`, `positions`. */
  readonly parts: readonly string[];
  /** Kind of its part, the same in every model. */
  readonly role: string;
  /** Label of its part. */
  readonly label: string | null;
  /** Its name within its part. */
  readonly local: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  readonly init: Initializer;
  /** Of a position table. */
  readonly table: TablePlaces | null;
}

type Owner = Pick<OwnedWeight, "parts" | "role" | "label">;

export function ownedWeights(assembly: Assembly): readonly OwnedWeight[] {
  const { parts } = assembly;
  const { encoder, tokens, objectives } = parts;
  const { rows, columns } = parts.grid;
  const table = { rows, columns, extra: layoutOf(parts).extra };
  const width = encoder.definition.width(encoder.values);
  const branches = modelWeights(parts).objectives;
  const owner = new Map<string, Owner>();
  owner.set(encoderPositions, { parts: ["encoder", "positions"], role: "encoder/positions", label: null });
  for (const name of Object.keys(tokens.definition.parameters(tokens.values, { image: parts.image, width })))
    owner.set(name, { parts: ["encoder", "tokens"], role: "tokens", label: null });
  for (const name of Object.keys(encoder.definition.parameters(encoder.values)))
    owner.set(name, { parts: ["encoder"], role: "encoder", label: null });
  for (const [i, { label }] of objectives.entries()) {
    const branch = branches[i]?.branch ?? null;
    if (label !== null && branch !== null) owner.set(branch, { parts: [`target.${label}`], role: "decoder", label });
    for (const [j, name] of (branches[i]?.losses ?? []).entries())
      if (name !== null && branch === null)
        owner.set(name, { parts: ["loss"], role: "loss", label: objectives[i]?.losses[j]?.label ?? null });
  }
  return [...namedParameters(assembly.parameters)].map(([name, parameter]): OwnedWeight => {
    const [top = "", ...rest] = name.split(".");
    const own = owner.get(top) ?? { parts: ["decoder"], role: "decoder", label: null };
    const local = own.label === null ? name : rest.join(".");
    const isTable = local === encoderPositions || local === decoderPositions;
    const { shape, trainable, init } = parameter as Parameter;
    return {
      name,
      ...own,
      ...(local === decoderPositions && own.label === null ? { parts: ["decoder", "positions"] } : {}),
      local,
      shape: shape.map(Number),
      trainable,
      init,
      table: isTable ? table : null,
    };
  });
}
void invariant;

/** Which part of a model reads which, as a tree from its losses to its inputs: the picture that `mae plan` prints. */

import { wiringOf } from "./assemble/arrays.js";
import type { Filled, Model } from "./model.js";
import { namesAt, type Part, sourcesAt, type Wiring } from "./wire/wiring.js";

/** A part, with what it reads. */
export interface WiringNode {
  /** `encoder joint: vit` */
  readonly text: string;
  /** Whether what it reads stands in the tree above already. */
  readonly isRepeated: boolean;
  readonly reads: readonly WiringNode[];
}

/** The ports by which what is learned flows, in the order in which they are drawn. */
const drawn = [
  "prediction",
  "logits",
  "compared",
  "vectors",
  "latent",
  "target",
  "encoded",
  "tokens",
  "array",
  "views",
];

/** One tree for each loss, and for what else a model is trained by. */
export function wiringTree(model: Model): readonly WiringNode[] {
  const wiring = wiringOf(model);
  const seen = new Set<string>();
  const roots = wiring.parts.filter(({ slot }) => slot === "loss" || slot === "adversary");
  return roots.map((root) => nodeOf(root, null, wiring, seen));
}

type ModelPart = Part<Filled>;

/** `alone`: of several inputs, the one that passes alone. */
function nodeOf(part: ModelPart, alone: string | null, wiring: Wiring<Filled>, seen: Set<string>): WiringNode {
  const text = textOf(part, alone);
  const reads = drawn.flatMap((port) =>
    sourcesAt(wiring, part, port).map((source, i) => {
      const [, input = null] = (port === "compared" ? namesAt(wiring, part, port)?.[i]?.split(".") : null) ?? [];
      return { source, input: input ?? (source.slot === "encoder" && source.input === null ? alone : null) };
    }),
  );
  // Alone, only what leads to that input is read.
  const own = reads.filter(({ source }) => alone === null || source.input === null || source.input === alone);
  if (seen.has(text) && own.length > 0) return { text, isRepeated: true, reads: [] };
  seen.add(text);
  return { text, isRepeated: false, reads: own.map(({ source, input }) => nodeOf(source, input, wiring, seen)) };
}

function textOf({ slot, line, input }: ModelPart, alone: string | null): string {
  const label = line.label ?? input;
  const block = line.use.definition.name;
  return `${slot}${label === null ? "" : ` ${label}`}: ${block}${alone === null ? "" : `, of ${alone} alone`}`;
}

/** The trees as lines of text. */
export const wiringLines = (nodes: readonly WiringNode[]): readonly string[] => nodes.flatMap(rootLines);

const rootLines = (node: WiringNode): readonly string[] => [head(node), ...inner(node)];

const head = ({ text, isRepeated }: WiringNode): string => (isRepeated ? `${text}, as above` : text);

const inner = ({ reads }: WiringNode): readonly string[] =>
  reads.flatMap((node, i) => {
    const isLast = i === reads.length - 1;
    const [first, ...rest] = rootLines(node);
    return [`${isLast ? "└─ " : "├─ "}${first}`, ...rest.map((line) => `${isLast ? "   " : "│  "}${line}`)];
  });

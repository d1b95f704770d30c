/** What a model is built of: its parts, each with what it reads. `parts.ts` makes them of the wires of a checked model. */

import type {
  Adversary,
  ArrayShape,
  BlockValue,
  Bound,
  Decoder,
  Encoder,
  Head,
  Latents,
  Lattice,
  Loss,
  Mask,
  Positions,
  Target,
  Teacher,
  Tokens,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import type { Filled } from "../model.js";
import { ownParts, type Part, sourceAt, type Wiring } from "../wire/wiring.js";
import { boundOf } from "./arrays.js";

/** One array that a model reads, and how it is cut into tokens that know their places, or into the cells of an encoder of maps. */
export interface InputPart {
  /** What the array is called: as the label of its input, or its medium. */
  readonly name: string;
  /** null: it is the model's only one, whose weights and functions bear no label. */
  readonly label: string | null;
  readonly array: ArrayShape;
  /** null: its encoder reads the array itself. */
  readonly tokens: Bound<Tokens> | null;
  readonly positions: Bound<Positions> | null;
  readonly grid: Lattice;
  /** Codes that its tokens can have, where they are such. */
  readonly codes?: number;
  /** The tokens whose places its table of positions has, where that is of others: it is resized. */
  readonly table?: Lattice;
}

/** A mask and the inputs over which it lies. */
export interface MaskPart {
  readonly name: string;
  /** The name in its feeds; null: it is the only one, whose feeds bear none. */
  readonly label: string | null;
  readonly block: Bound<Mask>;
  readonly over: readonly InputPart[];
  /** The encoder by whose attention it is decided; null: it is drawn. */
  readonly guide: EncoderPart | null;
}

export interface EncoderPart {
  readonly label: string | null;
  readonly block: Bound<Encoder>;
  /** Inputs, and encoders of inputs; the tokens of all stand one after the other. */
  readonly reads: readonly (InputPart | EncoderPart)[];
  /** The inputs whose tokens it sees, through other encoders too. */
  readonly inputs: readonly InputPart[];
  /** What alone goes on of what it makes of its tokens; null: all of it. */
  readonly latents: Bound<Latents> | null;
}

export const isEncoder = (part: InputPart | EncoderPart): part is EncoderPart => "reads" in part;

/** A target, the decoder that predicts it, and the losses that judge the prediction. */
export interface Objective {
  /** null: the model's own, whose weights and functions bear no label. */
  readonly label: string | null;
  readonly decoder: Bound<Decoder>;
  readonly target: Bound<Target>;
  /** The input that the target is made of. */
  readonly input: InputPart;
  /** What the decoder reads. */
  readonly latent: EncoderPart;
  /** Encodes the target itself for its decoder; null: the decoder sees the latent alone. */
  readonly encoder: Bound<Encoder> | null;
  readonly losses: readonly LabelledLoss[];
  /** The model's own, behind blocks of whose decoder its decoder begins; null: that reads the latent itself. */
  readonly behind: Objective | null;
  /** The model's own, whose prediction is its target; null: it is made of something else. */
  readonly imitates: Objective | null;
  /** Whether the decoder predicts other targets too. */
  readonly together: boolean;
}

export type LabelledLoss = Bound<Loss> & { readonly label: string | null };

/** A head, what it reads, and the losses that judge its classes. */
export interface HeadPart {
  readonly label: string | null;
  readonly block: Bound<Head>;
  readonly latent: Features;
  readonly losses: readonly LabelledLoss[];
}

/** A slow copy of an encoder and of all that it reads, and of heads of vectors behind it. */
export interface TeacherPart {
  readonly block: Bound<Teacher>;
  readonly student: EncoderPart;
  /** Each after what it reads. */
  readonly vectors: readonly VectorPart[];
}

/** A head of vectors. */
export interface VectorPart {
  readonly label: string | null;
  readonly block: Bound<Head>;
  readonly reads: EncoderPart | VectorPart;
}

export const isVectors = (part: EncoderPart | VectorPart): part is VectorPart => !("inputs" in part);

/** A loss between views of a sample. */
export interface ViewComparison {
  readonly loss: LabelledLoss;
  /** What stands for a view is what this makes of it. */
  readonly of: EncoderPart | VectorPart;
}

/** Views of a sample that pass together. */
export interface StreamPart {
  readonly name: string;
  /** Views of each sample. */
  readonly count: number;
  readonly shared: boolean;
  /** What they are views of. */
  readonly of: InputPart;
  /** One of them, as the encoder sees it. */
  readonly input: InputPart;
  /** null: nothing of them is hidden. */
  readonly mask: MaskPart | null;
  /** Whether the teacher sees them. */
  readonly isTaught: boolean;
}

/** What judges predictions, and through which encoder. */
export interface AdversaryPart {
  readonly block: Bound<Adversary>;
  readonly backbone: EncoderPart;
  /** Whose predictions it judges. */
  readonly judges: readonly Objective[];
}

/** A network that sees what an encoder of the model sees, as an encoder in its place. */
export const networkBeside = ({ reads, inputs }: EncoderPart, { block, values }: BlockValue<Encoder>): EncoderPart => ({
  label: null,
  block: { definition: block, values },
  reads,
  inputs,
  latents: null,
});

/** What an encoder makes of one input, or of all that it reads. */
export interface Features {
  readonly encoder: EncoderPart;
  /** null: of all. */
  readonly input: InputPart | null;
}

/** Whether what is predicted is never seen: the encoder reads other inputs alone. */
export const isUnseen = ({ input, latent }: Pick<Objective, "input" | "latent">): boolean =>
  !latent.inputs.includes(input);

/** A loss between what encoders make of two inputs. */
export interface Comparison {
  readonly loss: LabelledLoss;
  readonly between: readonly [Features, Features];
}

/** A model whose inputs are masked and encoded once; what is made of its latents are objectives and classes. */
export interface Parts {
  readonly inputs: readonly InputPart[];
  /** None: nothing is hidden. */
  readonly masks: readonly MaskPart[];
  /** Each after those that it reads. */
  readonly encoders: readonly EncoderPart[];
  /** The one that gives the features: of those that decoders and heads read, the first. */
  readonly encoder: EncoderPart;
  /** The model's own first. */
  readonly objectives: readonly Objective[];
  readonly comparisons: readonly Comparison[];
  /** Of classes. */
  readonly heads: readonly HeadPart[];
  /** Each after what it reads. */
  readonly vectors: readonly VectorPart[];
  readonly viewComparisons: readonly ViewComparison[];
  /** None: training sees whole samples. */
  readonly streams: readonly StreamPart[];
  /** The views that are seen, of a model as it sees those of one stream; null: whole samples. */
  readonly stream: string | null;
  readonly adversary: AdversaryPart | null;
  readonly teacher: TeacherPart | null;
}

/** What a part reads, and so on down to an encoder, the nearest last. */
export const chainOf = (part: EncoderPart | VectorPart): readonly VectorPart[] =>
  isVectors(part) ? [...chainOf(part.reads), part] : [];

/** The encoder that a head of vectors reads in the end. */
export const encoderUnder = (part: EncoderPart | VectorPart): EncoderPart =>
  isVectors(part) ? encoderUnder(part.reads) : part;

/** What an encoder of maps has of them. */
export function mapsOf({ maps }: Encoder): NonNullable<Encoder["maps"]> {
  invariant(maps, "an encoder that reads an array gives maps");
  return maps;
}

/** The views that a decoder asks, by name. */
export const asksOf = ({ decoder: { definition, values } }: Pick<Objective, "decoder">): readonly string[] =>
  definition.asks?.(values) ?? [];

/**
 * The model as it is asked about whole samples. Where training sees views, of which nothing is predicted or one by another, a mask says nothing
 * of whole samples, and nothing of them is predicted.
 */
export const wholeParts = <P extends Parts>(parts: P): P => {
  const isOfViews = parts.objectives.every((objective) => asksOf(objective).length > 0);
  return parts.streams.length > 0 && isOfViews ? { ...parts, masks: [], objectives: [] } : parts;
};

export type ModelPart = Part<Filled>;
export type ModelWiring = Wiring<Filled>;

/** The encoders of a model, by their parts. */
export type Encoders = ReadonlyMap<ModelPart, EncoderPart>;

/** The encoder that a part reads at a port. */
export function encoderAt(wiring: ModelWiring, part: ModelPart, port: string, encoders: Encoders): EncoderPart {
  const source = sourceAt(wiring, part, port);
  const encoder = source && encoders.get(source);
  invariant(encoder, `the checker lets through only models whose ${part.slot} reads one encoder`);
  return encoder;
}

export function atMostOne(wiring: ModelWiring, slot: string): ModelPart | null {
  const [part, another] = ownParts(wiring, slot);
  invariant(!another, `the checker lets through only models with one ${slot}`);
  return part ?? null;
}

export const labelledLoss = (part: ModelPart): LabelledLoss => ({ ...boundOf("loss", part), label: part.line.label });

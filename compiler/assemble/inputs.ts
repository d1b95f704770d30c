/** The functions of a model of several inputs or encoders up to its latents: the tokens of each, what each encoder makes of them, and of which. */

import { type Batch, takeTokens } from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { type Dropping, droppedIn, encodeTokens, sequenceOf, toldOf } from "./backbone.js";
import type { WeightTree } from "./branches.js";
import { type Calling, callingIn, type FunctionCode, type Given, type ModelFunction } from "./function.js";
import {
  arrayIn,
  maskedPlaces,
  type Placed,
  placedTokens,
  placesIn,
  readsOf,
  type Sight,
  seenTokens,
} from "./input-tokens.js";
import { extraTokensOf, hidingOf, jointMask } from "./layout.js";
import { distinct, pascal } from "./names.js";
import { readsText } from "./padding.js";
import { type EncoderPart, type Features, type InputPart, isEncoder } from "./parts.js";
import { isPlacedAgain, isTurned } from "./placing.js";

/** What leads to the latents of a model, and to what its losses compare. */
export interface InputFunctions {
  /** What the others call, each after those that it calls. */
  readonly before: readonly ModelFunction[];
  /** From a batch. */
  readonly encode: ModelFunction;
  /** What an encoder gives, from what encoders of single inputs give: the same function as `encode`, of a model of one input. */
  readonly latentOf: (encoder: EncoderPart) => ModelFunction;
  readonly features: ModelFunction;
  /** For each comparison, what gives its two sides. */
  readonly between: readonly (readonly [ModelFunction, ModelFunction])[];
  /** What an encoder is given, as statements of the function whose code it is. */
  readonly tokensFor: TokensFor;
}

export type TokensFor = (
  code: FunctionCode,
  w: WeightTree,
  from: { readonly batch: Batch; readonly calling: Calling },
  of: Features,
  sight: Sight,
  /** What is left out of an encoder of maps, which gives what others are given. */
  drops?: Dropping,
) => Tensor;

/** The functions of the parts of a model, each made once. */
class Made {
  readonly #parts: Placed;
  readonly #made = new Map<string, ModelFunction>();

  constructor(parts: Placed) {
    this.#parts = parts;
  }

  all = (): readonly ModelFunction[] => [...this.#made.values()];

  /** A function by what it does and the labels that it is about; two of those may be alike as words of a name: `a_b` and `aB`. */
  #once(what: string, about: readonly (string | null)[], make: () => Omit<ModelFunction, "name">): ModelFunction {
    const key = JSON.stringify([what, ...about]);
    const known = this.#made.get(key);
    if (known) return known;
    const taken = new Set(this.all().map(({ name }) => name));
    const wanted = [what, ...about.map((label) => pascal(label ?? "all"))].join("");
    const made = { name: distinct(wanted, (other) => taken.has(other)), ...make() };
    this.#made.set(key, made);
    return made;
  }

  /** Every token of an input, with its place. */
  whole = (input: InputPart): ModelFunction =>
    this.#once("tokens", labelsOf(input), () => ({
      doc: `Every token of \`${input.name}\`, with its place.`,
      inputs: ["arrays"],
      body: (code, w, { batch }) => placedTokens(code, this.#parts, input, w, arrayIn(input, batch)),
    }));

  /** What an encoder is given of an input: of one under a mask over several, every token. */
  seen = (input: InputPart): ModelFunction => {
    const hiding = hidingOf(this.#parts, input);
    const whole = this.whole(input);
    if (hiding === null || jointMask(this.#parts)) return whole;
    return this.#once("seen", labelsOf(input), () => ({
      doc:
        hiding === "drop"
          ? `The visible tokens of \`${input.name}\`.`
          : `The tokens of \`${input.name}\`, ${entering[hiding]} in place of the hidden ones.`,
      inputs: ["batch"],
      body: (code, w, { batch }) =>
        hiding === "drop"
          ? code.let(
              "seen",
              takeTokens,
              code.call("tokens", whole, batch),
              maskedPlaces(this.#parts, batch, input).visible,
            )
          : seenTokens(code, this.#parts, input, w, batch),
    }));
  };

  /** What gives what an encoder reads. `of`: those of its parts that it sees. */
  #given(
    reads: readonly (InputPart | EncoderPart)[],
    from: (read: InputPart | EncoderPart) => ModelFunction,
  ): readonly Given[] {
    return reads.map((read) => ({ name: givenName(read), from: from(read) }));
  }

  #reads = (sight: Sight) => (read: InputPart | EncoderPart) =>
    sight === "whole"
      ? isEncoder(read)
        ? this.features(read)
        : this.whole(read)
      : isEncoder(read)
        ? this.encoded(read)
        : this.seen(read);

  /** The mask over several inputs, where it is up to an encoder to take what it shows. */
  #joint(encoder: EncoderPart) {
    return encoder.reads.some(isEncoder) ? null : jointMask(this.#parts);
  }

  tokensFor: TokensFor = (code, _, { calling, batch }, { encoder, input }, sight) => {
    const reads = readsOf(encoder, input);
    const given = this.#given(reads, this.#reads(sight)).map(({ name, from }) => calling(name, from));
    const tokens = sequenceOf(code, this.#parts, reads, given, sight, input);
    const joint = sight === "seen" ? this.#joint(encoder) : null;
    return joint ? code.let("seen", takeTokens, tokens, placesIn(joint, batch).visible) : tokens;
  };

  /** What an encoder makes of the visible tokens of all that it reads. */
  encoded = (encoder: EncoderPart): ModelFunction => {
    const given = this.#given(encoder.reads, this.#reads("seen"));
    const joint = this.#joint(encoder);
    return this.#once("encode", [encoder.label], () => ({
      doc: `The latent of ${named(encoder.inputs)}, of visible tokens.`,
      inputs: [...given, ...(joint || this.#readsBatch(encoder) ? (["batch"] as const) : [])],
      body: (code, w, inputs) => {
        const tokens = sequenceOf(
          code,
          this.#parts,
          encoder.reads,
          given.map(({ name }) => inputs.given[name] as Tensor),
          "seen",
        );
        const seen = joint ? code.let("seen", takeTokens, tokens, placesIn(joint, inputs.batch).visible) : tokens;
        const drops = droppedIn(this.#parts, inputs.batch, encoder);
        const told = toldOf(code, this.#parts, encoder, w, inputs.batch, "seen");
        return encodeTokens(code, this.#parts, encoder, w, seen, { ...told, ...drops });
      },
    }));
  };

  /** Whether an encoder is told of a batch besides its tokens. */
  #readsBatch = (encoder: EncoderPart): boolean =>
    this.#drops(encoder) ||
    readsText(encoder) ||
    encoder.reads.some((read) => !isEncoder(read) && (isPlacedAgain(read) || isTurned(read)));

  /** Whether something is left out of an encoder at random. */
  #drops = ({ block: { definition, values } }: EncoderPart): boolean => (definition.drops?.(values) ?? []).length > 0;

  /** What an encoder makes of one of the inputs that it reads, without the others. */
  alone = ({ encoder, input }: Features): ModelFunction => {
    const [read] = readsOf(encoder, input);
    if (input === null || read === undefined || encoder.reads.length === 1) return this.encoded(encoder);
    const from = this.#reads("seen")(read);
    const given = `${input.name}_${isEncoder(read) ? "latent" : "tokens"}`;
    return this.#once("encode", [encoder.label, input.label], () => ({
      doc: `What the encoder of ${named(encoder.inputs)} makes of \`${input.label}\` alone.`,
      inputs: [{ name: given, from }, ...(this.#drops(encoder) || input.array.ids ? (["batch"] as const) : [])],
      body: (code, w, inputs) => {
        const drops = droppedIn(this.#parts, inputs.batch, encoder);
        const tokens = inputs.given[given] as Tensor;
        const told = toldOf(code, this.#parts, encoder, w, inputs.batch, "seen", input);
        return encodeTokens(code, this.#parts, encoder, w, tokens, { input, ...told, ...drops });
      },
    }));
  };

  /** What an encoder of several inputs makes of every token of one of them. */
  featuresAlone = (encoder: EncoderPart, read: InputPart | EncoderPart): ModelFunction => {
    const from = this.#reads("whole")(read);
    const [input = null] = isEncoder(read) ? read.inputs : [read];
    return this.#once("features", [encoder.label, read.label], () => ({
      doc: `What the encoder of ${named(encoder.inputs)} makes of every token of \`${read.label}\` alone.`,
      inputs: ["arrays"],
      encoding: {
        name: `${encoder.label ?? "encoder"}.${read.label}`,
        extraTokens: extraTokensOf(encoder, input),
      },
      body: (code, w, { batch }) => {
        const tokens = callingIn(code, batch)(`${read.label}_tokens`, from);
        const told = toldOf(code, this.#parts, encoder, w, batch, "whole", input);
        return encodeTokens(code, this.#parts, encoder, w, tokens, { input, ...told });
      },
    }));
  };

  /** What an encoder makes of every token that it reads. */
  features = (encoder: EncoderPart, isLast = false): ModelFunction => {
    const given = this.#given(encoder.reads, this.#reads("whole"));
    return this.#once("features", isLast ? [] : [encoder.label], () => ({
      doc: `The latent of every token of ${named(encoder.inputs)}, each in raster order${isLast ? ", after the first `layers` layers of the last encoder" : ""}.`,
      inputs: isLast ? ["arrays", "layers"] : ["arrays"],
      ...(encoder.label === null ? {} : { encoding: { name: encoder.label, extraTokens: extraTokensOf(encoder) } }),
      body: (code, w, { batch }) => {
        const calling = callingIn(code, batch);
        const tokens = sequenceOf(
          code,
          this.#parts,
          encoder.reads,
          given.map(({ name, from }) => calling(name, from)),
          "whole",
        );
        const told = toldOf(code, this.#parts, encoder, w, batch, "whole");
        return encodeTokens(code, this.#parts, encoder, w, tokens, told);
      },
    }));
  };
}

/** What enters in place of hidden tokens, in words. */
const entering = { token: "a learned one", zero: "zeros", corrupt: "those of other ids" } as const;

const labelsOf = ({ label }: InputPart): readonly string[] => (label === null ? [] : [label]);

/** `audio_tokens`, `audio_latent` */
const givenName = (read: InputPart | EncoderPart): string =>
  isEncoder(read) ? `${read.label ?? "all"}_latent` : [...labelsOf(read), "tokens"].join("_");

/** `audio` and `image` */
const named = (inputs: readonly InputPart[]): string => inputs.map(({ name }) => `\`${name}\``).join(" and ");

export function inputFunctions(parts: Placed): InputFunctions {
  const made = new Made(parts);
  const latent = made.encoded(parts.encoder);
  const between = parts.comparisons.map(
    ({ between: [first, second] }) => [made.alone(first), made.alone(second)] as const,
  );
  for (const { latent: other } of parts.objectives) made.encoded(other);
  const features = made.features(parts.encoder, true);
  for (const encoder of parts.encoders) {
    if (encoder.reads.length > 1) for (const read of encoder.reads) made.featuresAlone(encoder, read);
    if (encoder !== parts.encoder) made.features(encoder);
  }
  const encode: ModelFunction = {
    name: "encode",
    doc: `The latent of the visible tokens of ${named(parts.encoder.inputs)}.`,
    inputs: ["batch"],
    body: (code, _, { batch }) => callingIn(code, batch)("latent", latent),
  };
  return {
    before: made.all().filter((f) => f !== features),
    encode,
    latentOf: made.encoded,
    features,
    between,
    tokensFor: made.tokensFor,
  };
}

/** The functions of a model of several inputs up to its latent: the tokens of each, what each encoder makes of them, and of which. */

import { takeTokens } from "../../blocks/index.js";
import type { Tensor } from "../../graph/index.js";
import { arrayIn, encodeTokens, joined, type Placed, placedTokens, placesIn, placesOf } from "./backbone.js";
import { callingIn, type Given, type ModelFunction } from "./function.js";
import { extraTokensOf, jointMask, maskOver } from "./layout.js";
import { distinct, pascal } from "./names.js";
import { type EncoderPart, type Features, type InputPart, isEncoder } from "./parts.js";

/** What leads to the latent of a model, and to what its losses compare. */
export interface InputFunctions {
  /** What the others call, each after those that it calls. */
  readonly before: readonly ModelFunction[];
  /** From a batch. */
  readonly encode: ModelFunction;
  /** From what encoders of single inputs give: the same function, of a model of one input. */
  readonly latent: ModelFunction;
  readonly features: ModelFunction;
  /** For each comparison, what gives its two sides. */
  readonly between: readonly (readonly [ModelFunction, ModelFunction])[];
}

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
    this.#once("tokens", [input.label], () => ({
      doc: `Every token of \`${input.label}\`, with its place.`,
      inputs: ["arrays"],
      body: (code, w, { batch }) => placedTokens(code, this.#parts, input, w, arrayIn(input, batch)),
    }));

  /** The visible tokens of an input; where one mask lies over all inputs, every token. */
  seen = (input: InputPart): ModelFunction => {
    const whole = this.whole(input);
    if (!maskOver(this.#parts, input) || jointMask(this.#parts)) return whole;
    return this.#once("seen", [input.label], () => ({
      doc: `The visible tokens of \`${input.label}\`.`,
      inputs: ["batch"],
      body: (code, _, { batch }) =>
        code.let("seen", takeTokens, code.call("tokens", whole, batch), placesOf(this.#parts, batch, input).visible),
    }));
  };

  #given(encoder: EncoderPart, of: (read: InputPart | EncoderPart) => ModelFunction): readonly Given[] {
    return encoder.reads.map((read) => ({
      name: `${read.label ?? "all"}_${isEncoder(read) ? "latent" : "tokens"}`,
      from: of(read),
    }));
  }

  /** What an encoder makes of the visible tokens of all that it reads. */
  encoded = (encoder: EncoderPart): ModelFunction => {
    const given = this.#given(encoder, (read) => (isEncoder(read) ? this.encoded(read) : this.seen(read)));
    const joint = encoder.reads.some(isEncoder) ? null : jointMask(this.#parts);
    return this.#once("encode", [encoder.label], () => ({
      doc: `The latent of ${named(encoder.inputs)}, of visible tokens.`,
      inputs: [...given, ...(joint ? (["batch"] as const) : [])],
      body: (code, w, inputs) => {
        const tokens = joined(
          code,
          "tokens",
          given.map(({ name }) => inputs.given[name] as Tensor),
        );
        const seen = joint
          ? code.let("seen", takeTokens, tokens, placesIn(this.#parts, joint, inputs.batch).visible)
          : tokens;
        return encodeTokens(code, this.#parts, encoder, w, seen);
      },
    }));
  };

  /** What an encoder makes of one of the inputs that it reads, without the others. */
  alone = ({ encoder, input }: Features): ModelFunction => {
    const read = encoder.reads.find((other) =>
      isEncoder(other) ? other.inputs.includes(input as InputPart) : other === input,
    );
    if (input === null || read === undefined || encoder.reads.length === 1) return this.encoded(encoder);
    const from = isEncoder(read) ? this.encoded(read) : this.seen(read);
    const given = `${input.name}_${isEncoder(read) ? "latent" : "tokens"}`;
    return this.#once("encode", [encoder.label, input.label], () => ({
      doc: `What the encoder of ${named(encoder.inputs)} makes of \`${input.label}\` alone.`,
      inputs: [{ name: given, from }],
      body: (code, w, inputs) => encodeTokens(code, this.#parts, encoder, w, inputs.given[given] as Tensor, { input }),
    }));
  };

  /** What an encoder of several inputs makes of every token of one of them. */
  featuresAlone = (encoder: EncoderPart, read: InputPart | EncoderPart): ModelFunction => {
    const from = isEncoder(read) ? this.features(read) : this.whole(read);
    const [input] = isEncoder(read) ? read.inputs : [read];
    return this.#once("features", [encoder.label, read.label], () => ({
      doc: `What the encoder of ${named(encoder.inputs)} makes of every token of \`${read.label}\` alone.`,
      inputs: ["arrays"],
      encoding: { name: `${encoder.label ?? "encoder"}.${read.label}`, extraTokens: extraTokensOf(encoder) },
      body: (code, w, { batch }) => {
        const tokens = callingIn(code, batch)(`${read.label}_tokens`, from);
        return encodeTokens(code, this.#parts, encoder, w, tokens, { input: input ?? null });
      },
    }));
  };

  /** What an encoder makes of every token that it reads. */
  features = (encoder: EncoderPart, isLast = false): ModelFunction => {
    const given = this.#given(encoder, (read) => (isEncoder(read) ? this.features(read) : this.whole(read)));
    return this.#once("features", isLast ? [] : [encoder.label], () => ({
      doc: `The latent of every token of ${named(encoder.inputs)}, each in raster order${isLast ? ", after the first `layers` layers of the last encoder" : ""}.`,
      inputs: isLast ? ["arrays", "layers"] : ["arrays"],
      ...(encoder.label === null || isLast
        ? {}
        : { encoding: { name: encoder.label, extraTokens: extraTokensOf(encoder) } }),
      body: (code, w, { batch }) => {
        const calling = callingIn(code, batch);
        const tokens = joined(
          code,
          "tokens",
          given.map(({ name, from }) => calling(name, from)),
        );
        return encodeTokens(code, this.#parts, encoder, w, tokens);
      },
    }));
  };
}

/** `audio` and `image` */
const named = (inputs: readonly InputPart[]): string => inputs.map(({ label }) => `\`${label}\``).join(" and ");

export function inputFunctions(parts: Placed): InputFunctions {
  const made = new Made(parts);
  const latent = made.encoded(parts.encoder);
  const between = parts.comparisons.map(
    ({ between: [first, second] }) => [made.alone(first), made.alone(second)] as const,
  );
  const features = made.features(parts.encoder, true);
  for (const encoder of parts.encoders) {
    if (encoder.reads.length > 1) for (const read of encoder.reads) made.featuresAlone(encoder, read);
  }
  const encode: ModelFunction = {
    name: "encode",
    doc: `The latent of the visible tokens of ${named(parts.encoder.inputs)}.`,
    inputs: ["batch"],
    body: (code, _, { batch }) => callingIn(code, batch)("latent", latent),
  };
  return { before: made.all().filter((f) => f !== features), encode, latent, features, between };
}

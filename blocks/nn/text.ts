/** Of texts: embeddings of ids, what hides tokens by other ids, what keeps attention from what is behind the end, the logits of ids and their errors. */

import type { Builder, Dims, Rows, Tensor } from "../../graph/index.js";
import { textChannels } from "../arrays.js";
import { type Parameter, parameter, type Weights } from "../parameters.js";
import { claim, declarer, layer } from "./layer.js";
import { type LayerNormParameters, type LinearParameters, layerNorm, linear } from "./linear.js";

/** A text [B, N, 3], see `IdsShape`. */
type Text<B extends Rows, N extends number> = Tensor<[B, N, 3]>;

/** One channel of a text [B, N, 3] -> [B, N]. */
function channel(g: Builder, text: Tensor, name: keyof typeof textChannels): Tensor {
  const [batch, places] = text.shape as [number, number, number];
  return g.reshape(g.slice(text, [0, 0, textChannels[name]], [batch, places, 1]), [batch, places]);
}

const whole = (g: Builder, x: Tensor): Tensor<Dims, "int32"> => g.cast(x, "int32");

export type EmbeddingParameters<V extends number, D extends number> = { readonly weight: Parameter<[V, D]> };

/** A row for each id, normal with deviation 0.02, cut at twice that. */
export const embeddingParameters = declarer(
  "embeddingParameters",
  <V extends number, D extends number>(ids: V, width: D): EmbeddingParameters<V, D> => ({
    weight: parameter([ids, width], { kind: "truncated_normal", std: 0.02 }),
  }),
) as <V extends number, D extends number>(ids: V, width: D) => EmbeddingParameters<V, D>;

/** A number for each id, zero at first. */
export const idBias = declarer(
  "idBias",
  <V extends number>(ids: V): Parameter<[V]> => parameter([ids], { kind: "zeros" }),
) as <V extends number>(ids: V) => Parameter<[V]>;

/** text [B, N, 3] -> the rows of its ids [B, N, D]. */
export const embedIds = layer(
  "embedIds",
  <B extends Rows, N extends number, V extends number, D extends number>(
    g: Builder,
    text: Text<B, N>,
    w: Weights<EmbeddingParameters<V, D>>,
  ): Tensor<[B, N, D]> => claim(g.lookUp(w.weight, whole(g, channel(g, text, "id")))),
);

/** tokens [B, N, D] + the rows of the segments of a text [B, N, 3]; segments beyond the table have its last row. */
export const addSegments = layer(
  "addSegments",
  <B extends Rows, N extends number, S extends number, D extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    text: Text<NoInfer<B>, NoInfer<N>>,
    w: Weights<EmbeddingParameters<S, NoInfer<D>>>,
  ): Tensor<[B, N, D]> => {
    const known = g.minimum(channel(g, text, "segment"), (w.weight.shape[0] as number) - 1);
    return g.add(tokens, g.lookUp(w.weight, whole(g, known)));
  },
);

/** text [B, N, 3], entered int32 [B, N] -> the text with other ids in the places where `entered` has one; it has -1 elsewhere. */
export const corruptIds = layer(
  "corruptIds",
  <B extends Rows, N extends number>(
    g: Builder,
    text: Text<B, N>,
    entered: Tensor<[NoInfer<B>, NoInfer<N>], "int32">,
  ): Text<B, N> => {
    const [batch, places, channels] = text.shape as [number, number, number];
    const own = channel(g, text, "id");
    const ids = g.select(g.less(entered, 0), own, g.cast(entered, "float32"));
    const rest = g.slice(text, [0, 0, 1], [batch, places, channels - 1]);
    return claim(g.concat([g.reshape(ids, [batch, places, 1]), rest], 2));
  },
);

/** entered int32 [B, N], see `corruptIds` -> 1 where an id was chosen, 0 elsewhere, [B, N]. */
export const chosenFlags = layer(
  "chosenFlags",
  <B extends Rows, N extends number>(g: Builder, entered: Tensor<[B, N], "int32">): Tensor<[B, N]> =>
    claim(g.cast(g.lessEqual(g.constant(Int32Array.of(0), []), entered), "float32")),
);

/** What attention adds to scores that should not count: exp of it is 0. */
const never = -1e9;

/** text [B, N, 3] -> what is added to the scores of attention, [B, 1, 1, N]: places behind the end of a text get none. */
export const paddingBias = layer(
  "paddingBias",
  <B extends Rows, N extends number>(g: Builder, text: Text<B, N>): Tensor<[B, 1, 1, N]> => {
    const [batch, places] = text.shape as [number, number, number];
    const behind = g.cast(g.less(channel(g, text, "word"), 0), "float32");
    return claim(g.reshape(g.mul(behind, never), [batch, 1, 1, places]));
  },
);

/**
 * What is added to the scores of attention in a sequence with texts in it, [B, 1, 1, M]. texts [B, N]: 1 for tokens, 0 behind the end, one
 * after the other; `counts`: of the sequence from its beginning, null for a text, and of all else how many tokens there are, which all
 * count. `visible` int32 [B, M], where there is one: the places of the sequence that are seen.
 */
export const sequencePadding = layer(
  "sequencePadding",
  <B extends Rows, M extends number>(
    g: Builder,
    texts: readonly Tensor<[B, number]>[],
    o: { readonly counts: readonly (number | null)[] },
    visible?: Tensor<[NoInfer<B>, NoInfer<M>], "int32">,
  ): Tensor<[B, 1, 1, M]> => {
    const rest = [...texts];
    const batch = (texts[0] as Tensor).shape[0] as number;
    const flags = o.counts.map((count) =>
      count === null ? (rest.shift() as Tensor) : g.broadcast(g.constant(1), [batch, count]),
    );
    const whole = flags.length === 1 ? (flags[0] as Tensor) : g.concat(flags, 1);
    const seen = visible ? g.takeTokens(claim<[B, number]>(whole), visible) : whole;
    const behind = g.mul(g.sub(g.constant(1), seen), never);
    return claim(g.reshape(behind, [batch, 1, 1, seen.shape[1] as number]));
  },
);

/** padding [B, 1, 1, N] -> that of a sequence with more tokens in front and behind, which all count, [B, 1, 1, front + N + behind]. */
export const paddingAround = layer(
  "paddingAround",
  <B extends Rows, M extends number>(
    g: Builder,
    padding: Tensor<[B, 1, 1, number]>,
    o: { readonly front?: number; readonly behind?: number },
  ): Tensor<[B, 1, 1, M]> => {
    const batch = padding.shape[0] as number;
    const none = (count = 0): Tensor[] => (count > 0 ? [g.broadcast(g.constant(0), [batch, 1, 1, count])] : []);
    return claim(g.concat([...none(o.front), padding, ...none(o.behind)], 3));
  },
);

/** flags and text [B, N, 3] -> the flags of words, 0 for tokens that are no words and behind the end, [B, N]. */
export const flagsOfWords = layer(
  "flagsOfWords",
  <B extends Rows, N extends number>(
    g: Builder,
    flags: Tensor<[B, N]>,
    text: Text<NoInfer<B>, NoInfer<N>>,
  ): Tensor<[B, N]> => claim(g.mul(flags, g.cast(g.less(g.constant(0), channel(g, text, "word")), "float32"))),
);

/** text [B, N, 3] -> 1 for its tokens and 0 for what is behind its end, [B, N]. */
export const placesOfText = layer(
  "placesOfText",
  <B extends Rows, N extends number>(g: Builder, text: Text<B, N>): Tensor<[B, N]> =>
    claim(g.cast(g.lessEqual(g.constant(0), channel(g, text, "word")), "float32")),
);

/** tokens [B, N, D], places [B, N] -> the mean of the tokens whose place has a 1, [B, D]. */
export const meanOfPlaces = layer(
  "meanOfPlaces",
  <B extends Rows, N extends number, D extends number>(
    g: Builder,
    tokens: Tensor<[B, N, D]>,
    places: Tensor<[NoInfer<B>, NoInfer<N>]>,
  ): Tensor<[B, D]> => {
    const [batch, count] = places.shape as [number, number];
    const sum = g.sum(g.mul(tokens, g.reshape(places, [batch, count, 1])), [1]);
    return claim(g.div(sum, g.maximum(g.sum(places, [1], "keep"), 1)));
  },
);

/** x [B, N, D] -> LN(GELU(x weight^T + bias)) [B, N, D]: what BERT does to tokens before their logits. */
export const transformTokens = layer(
  "transformTokens",
  <B extends Rows, N extends number, D extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    w: Weights<LinearParameters<NoInfer<D>, NoInfer<D>>>,
    norm: Weights<LayerNormParameters<NoInfer<D>>>,
    o: { readonly epsilon?: number } = {},
  ): Tensor<[B, N, D]> => layerNorm(g, g.gelu(linear(g, x, w)), norm, o),
);

/** x [B, N, D], the table that ids are looked up in [V, D], bias [V] -> a logit of each id [B, N, V]. */
export const tiedLogits = layer(
  "tiedLogits",
  <B extends Rows, N extends number, D extends number, V extends number>(
    g: Builder,
    x: Tensor<[B, N, D]>,
    table: Tensor<[V, NoInfer<D>]>,
    bias: Tensor<[NoInfer<V>]>,
  ): Tensor<[B, N, V]> => g.linear(x, table, bias),
);

/** text [B, N, 3] -> its ids, [B, N, 1]. */
export const idsOf = layer(
  "idsOf",
  <B extends Rows, N extends number>(g: Builder, text: Text<B, N>): Tensor<[B, N, 1]> => {
    const [batch, places] = text.shape as [number, number, number];
    return claim(g.reshape(channel(g, text, "id"), [batch, places, 1]));
  },
);

/**
 * logits [B, N, V], ids [B, N, 1], flags [B, N] -> the cross-entropy of softmax(logits) to the ids, its mean over all places of the batch
 * whose flag is 1, []. 0 where there are none.
 */
export const idCrossEntropy = layer(
  "idCrossEntropy",
  <B extends Rows, N extends number, V extends number>(
    g: Builder,
    logits: Tensor<[B, N, V]>,
    ids: Tensor<[NoInfer<B>, NoInfer<N>, 1]>,
    flags?: Tensor<[NoInfer<B>, NoInfer<N>]>,
  ): Tensor<[]> => {
    const [batch, places, vocabulary] = logits.shape as [number, number, number];
    // The largest logit leaves the result as it is and keeps exp finite; so it has no gradient.
    const shifted = g.sub(logits, g.stopGradient(g.reduceMax(logits, [2], "keep"))); // [B, N, V]
    const all = g.log(g.sum(g.exp(shifted), [2])); // [B, N]
    const isWanted = g.equal(
      ids,
      g.constant(
        Float32Array.from({ length: vocabulary }, (_, id) => id),
        [vocabulary],
      ),
    );
    const own = g.sum(g.select(claim<Dims, "bool">(isWanted), shifted, 0), [2]); // [B, N]
    const errors = g.reshape(g.sub(all, own), [batch, places]);
    if (!flags) return claim(g.mean(errors));
    return claim(g.div(g.sum(g.mul(errors, flags)), g.maximum(g.sum(flags), 1)));
  },
);

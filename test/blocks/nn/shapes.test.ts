/** The literal shapes that the layers state in types: right ones are accepted, wrong ones are errors. */

import { expectTypeOf, test } from "vitest";
import {
  addPositions,
  linear,
  type linearParameters,
  patchify,
  patchTokens,
  prependClassToken,
  restoreTokens,
  type separatePositions,
  type sinCosPositions,
  transformerBlock,
  type transformerBlockParameters,
  type Weights,
} from "../../../blocks/index.js";
import type { Builder, Tensor } from "../../../graph/index.js";

declare const g: Builder;
declare const image: Tensor<["B", 28, 20, 3], "float32">;
declare const tokens: Tensor<["B", 20, 64], "float32">;
declare const seen: Tensor<["B", 5, 64], "float32">;
declare const restore: Tensor<["B", 20], "int32">;
declare const token: Tensor<[1, 1, 64], "float32">;
declare const positions: Weights<ReturnType<typeof sinCosPositions<[4, 5], 1, 64>>>;

const fourOfEight = [
  { count: 4, size: 8 },
  { count: 5, size: 4 },
] as const;

const check = (body: () => void): typeof body => body;

test("layers give literal shapes", () => {
  check(() => {
    const patches = patchify(g, image, [
      { count: 4, size: 7 },
      { count: 5, size: 4 },
    ]);
    expectTypeOf(patches).toExtend<Tensor<["B", 20, 84]>>();
    const video = {} as Tensor<["B", 16, 224, 224, 3]>;
    const tubelets = [
      { count: 8, size: 2 },
      { count: 14, size: 16 },
      { count: 14, size: 16 },
    ] as const;
    expectTypeOf(patchify(g, video, tubelets)).toExtend<Tensor<["B", 1568, 1536]>>();
    const weights = {} as Weights<ReturnType<typeof linearParameters<84, 64>>>;
    expectTypeOf(linear(g, patches, weights)).toExtend<Tensor<["B", 20, 64]>>();
    expectTypeOf(addPositions(g, tokens, positions, { extra: 1 })).toExtend<Tensor<["B", 20, 64]>>();
    const tables = {} as Weights<ReturnType<typeof separatePositions<4, 5, 1, 64>>>;
    expectTypeOf(addPositions(g, tokens, tables, { extra: 1 })).toExtend<Tensor<["B", 20, 64]>>();
    expectTypeOf(prependClassToken(g, seen, token, positions)).toExtend<Tensor<["B", 6, 64]>>();
    expectTypeOf(prependClassToken(g, seen, token, tables)).toExtend<Tensor<["B", 6, 64]>>();
    expectTypeOf(addPositions(g, {} as Tensor<["B", 21, 64]>, tables, { extra: 0 })).toExtend<Tensor<["B", 21, 64]>>();
    expectTypeOf(restoreTokens(g, seen, token, restore, { extra: 1 })).toExtend<Tensor<["B", 21, 64]>>();
    const all = {} as Tensor<["B", 21, 64]>;
    expectTypeOf(patchTokens(g, all, { extra: 1, count: 20 })).toExtend<Tensor<["B", 20, 64]>>();
  });
});

test("a wrong size is a type error", () => {
  check(() => {
    // @ts-expect-error 4 rows of 8 pixels are not 28
    patchify(g, image, fourOfEight);
    // @ts-expect-error three axes are not two
    patchify(g, {} as Tensor<["B", 16, 28, 20, 3]>, fourOfEight);
    // @ts-expect-error 20 tokens and 2 extra rows are not 21
    addPositions(g, tokens, positions, { extra: 2 });
    const tables = {} as Weights<ReturnType<typeof separatePositions<4, 6, 1, 64>>>;
    // @ts-expect-error 4 times and 6 places are not 20 tokens
    addPositions(g, tokens, tables, { extra: 1 });
    // @ts-expect-error 65 features meet 64
    linear(g, {} as Tensor<["B", 20, 65]>, {} as Weights<ReturnType<typeof linearParameters<64, 32>>>);
    const block = {} as Weights<ReturnType<typeof transformerBlockParameters<64, 256>>>;
    expectTypeOf(transformerBlock(g, seen, block, { heads: 4 })).toExtend<Tensor<["B", 5, 64]>>();
    // @ts-expect-error 65 features meet 64
    transformerBlock(g, {} as Tensor<["B", 5, 65]>, block, { heads: 4 });
    // @ts-expect-error 21 tokens are not 1 + 19
    patchTokens(g, {} as Tensor<["B", 21, 64]>, { extra: 1, count: 19 });
  });
});

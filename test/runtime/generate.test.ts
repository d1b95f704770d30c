/** Codes that are generated round by round: the same as those of an independent decoding in PyTorch with the same draws, and what they look like. */

import { expect, test } from "vitest";
import type { ArrayShape } from "../../blocks/index.js";
import { assemble, programOf } from "../../compiler/assemble/assemble.js";
import { generate, generatedPictures, leftAfter, type Rounds } from "../../runtime/evaluate/generate.js";
import { generationErrors, type LabelledData, meanErrors } from "../../runtime/index.js";
import { difference, type RecordedBatch, recorded } from "../support/recorded.js";
import { referenceExecutor } from "../support/reference-executor.js";

interface Header extends RecordedBatch {
  readonly spec: string;
  readonly rounds: readonly Rounds[];
}

const { fixture, model, weights } = recorded<Header>("mask-vit");
const program = programOf(assemble(model));
const { batch, rounds, tokens } = fixture.header;
const [codes, places] = [fixture.values("gumbel/codes"), fixture.values("gumbel/places")];
const count = program.codes?.count as number;

const generated = (how: Rounds) =>
  generate(
    { program, weights },
    { video: Float32Array.from(fixture.values("video")) },
    {
      ...how,
      executor: referenceExecutor,
      draws: (sample, round) => ({
        code: (token, code) => codes[((round * batch + sample) * tokens.total + token) * count + code] as number,
        token: (token) => places[(round * batch + sample) * tokens.total + token] as number,
      }),
    },
  );

test.each(rounds.map((how, i) => ({ ...how, i })))("$rounds rounds at $temperature, $curve", async ({ i, ...how }) => {
  const found = await generated(how);
  expect([...found.codes]).toEqual([...fixture.values("codes")]);
  expect([...found.generated]).toEqual([...fixture.values(`generated/${i}`)]);
  // Of each sample the given codes stay.
  const given = (all: ArrayLike<number>) => Array.from(all).filter((_, at) => at % tokens.total < found.given);
  expect(given(found.generated)).toEqual(given(found.codes));
});

test("what the codes of a clip look like", async () => {
  const { codes: own } = await generated({ rounds: 1, temperature: 0, curve: "linear" });
  expect([...own]).toEqual([...fixture.values("codes")]);
  const drawing = await import("../../runtime/evaluate/frozen.js");
  const frozen = await drawing.openFrozen({ program, weights }, referenceExecutor, batch, (g, w) => ({
    drawn: program.codes?.draw(g, w, g.input("codes", ["B", tokens.total], "int32")) as never,
  }));
  const { drawn } = await frozen.run({ codes: own });
  expect(difference(drawn, fixture.values("drawn"))).toBeLessThan(1e-5);
});

test("how far generated frames are from the true ones, beside copies of the last given frame and the true codes", async () => {
  const video = Float32Array.from(fixture.values("video"));
  const how = { rounds: 2, temperature: 1, curve: "cosine" } as const;
  const report = () => {};
  const data = {
    async *test() {
      yield { arrays: { video }, count: batch, labels: new Int32Array(batch), samples: new Int32Array(batch) };
    },
  } as unknown as LabelledData;
  const options = { data, executor: referenceExecutor, seed: 3, report };
  const errors = await generationErrors({ program, weights }, [], options, how);
  const common = { ...how, executor: referenceExecutor, colours: () => null, seed: 3 };
  const [shown] = await generatedPictures({ program, weights }, { video }, common);
  expect(errors.mse).toBeCloseTo(meanErrors(shown?.reconstructions.map((one) => one.errors) ?? []).pixelMse, 10);
  const { axes } = program.arrays.video as ArrayShape;
  const frames = axes[0]?.size as number;
  const frame = video.length / batch / frames;
  const given = (program.masks.video?.given as number) / (tokens.total / frames);
  const later = [...video.keys()].filter((at) => Math.floor(at / frame) % frames >= given);
  const square = (guess: (at: number) => number): number =>
    later.reduce((sum, at) => sum + (guess(at) - (video[at] as number)) ** 2, 0) / later.length;
  const lastOf = (at: number): number => at - ((Math.floor(at / frame) % frames) - given + 1) * frame;
  expect(errors.lastMse).toBeCloseTo(
    square((at) => video[lastOf(at)] as number),
    6,
  );
  expect(errors.codesMse).toBeCloseTo(
    square((at) => fixture.values("drawn")[at] as number),
    5,
  );
});

test.each([
  ["cosine", [11, 8, 4, 0]],
  ["linear", [9, 6, 3, 0]],
] as const)("what is left of twelve tokens after each of four rounds, %s", (curve, left) => {
  expect(leftAfter(12, { rounds: 4, temperature: 1, curve })).toEqual(left);
});

test("in more rounds than there are tokens, one is left until the last round", () => {
  expect(leftAfter(2, { rounds: 4, temperature: 1, curve: "linear" })).toEqual([1, 1, 1, 0]);
});

/** Queries that are turned by their places are those of RoFormer, GPT-NeoX, EVA-02 and DINOv3; what stands for no place stays as it is. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { rotaryTurns, rotaryTurnsOf, type Turning, turned } from "../../../blocks/nn/rotary.js";
import { createBuilder, evaluate, type Tensor } from "../../../graph/index.js";

interface Case extends Turning {
  readonly counts: readonly number[];
  readonly width: number;
  readonly x: readonly number[];
  readonly turned: readonly number[];
}

const { cases } = JSON.parse(
  readFileSync(new URL("../../reference/rotary-libraries.json", import.meta.url), "utf8"),
) as { readonly cases: Readonly<Record<string, Case>> };

/** The queries of two heads, with tokens in front and behind, of all places or of those that are visible. */
function turnedBy({ counts, width, x, base, pairs, measure }: Case, places: readonly number[], visible: boolean) {
  const [front, behind, count] = [2, 1, x.length / 2 / width];
  const rows = [0, 1].flatMap((head) => {
    const row = (place: number) => x.slice((head * count + place) * width, (head * count + place + 1) * width);
    const still = Array.from({ length: width }, (_, i) => i);
    return [...Array.from({ length: front }, () => still), ...places.map(row), still].flat();
  });
  const g = createBuilder({ batch: 1 });
  const table = { counts, width, base, pairs, measure, front, behind };
  const index = g.constant(Int32Array.from(places), [1, places.length], "int32");
  const turns = (visible ? rotaryTurnsOf(g, index as never, table) : rotaryTurns(g, table)) as Tensor;
  const queries = g.constant(Float32Array.from(rows), [1, 2, front + places.length + behind, width]);
  const graph = g.finish({ outputs: { found: turned(g, queries, { turns, pairs, axes: counts.length }) } });
  const { found } = evaluate(graph, {}, {}).outputs;
  return { found: [...(found as Float64Array)], rows, front, count };
}

test.each(Object.entries(cases))("as %s has it", (_, one) => {
  const count = one.x.length / 2 / one.width;
  for (const visible of [false, true]) {
    const places = visible ? [count - 1, 2, 5] : Array.from({ length: count }, (_, i) => i);
    const { found, rows, front } = turnedBy(one, places, visible);
    const tokens = found.length / 2 / one.width;
    for (let head = 0; head < 2; head++)
      for (let token = 0; token < tokens; token++) {
        const at = (head * tokens + token) * one.width;
        const place = places[token - front];
        const from = (head * count + (place ?? 0)) * one.width;
        const wanted = place === undefined ? rows.slice(at, at + one.width) : one.turned.slice(from, from + one.width);
        found.slice(at, at + one.width).forEach((value, i) => {
          expect(Math.abs(value - (wanted[i] as number))).toBeLessThan(1e-5);
        });
      }
  }
});

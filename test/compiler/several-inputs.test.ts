/** Models of several inputs whose labels and wires are chosen to confuse the compiler. */

import { expect, test } from "vitest";
import { assemble } from "../../compiler/assemble/assemble.js";
import { analyzed, modelOf } from "../support/model.js";

const encoder = (label: string, rest: string, width = 16): string =>
  `encoder ${label}: vit(depth: 1, width: ${width}, heads: 2, class_token: false, norm: none${rest})`;

const spec = (labels: readonly string[], lines: readonly string[]): string => `edition 2026
model Several {
  ${labels.map((label) => `input ${label}: image(size: 8x8, channels: 1)`).join("\n  ")}
  tokens patch(size: 4x4)
  mask random(ratio: 50%)
  ${lines.join("\n  ")}
  decoder vit(depth: 1, width: 8, heads: 2)
  target pixels
  loss mse
}`;

const joined = encoder("top", ", of: [x, y]");
const found = (text: string): readonly string[] =>
  analyzed(text).diagnostics.flatMap(({ severity, code }) => (severity === "error" ? [code] : []));

test("inputs whose labels are alike as words of a name have functions of their own", () => {
  const text = spec(["a_b", "aB"], [encoder("a_b", ""), encoder("aB", ""), encoder("top", ", of: [a_b, aB]")]);
  const names = assemble(modelOf(text)).functions.map(({ name }) => name);
  expect(names.filter((name) => name.startsWith("tokens"))).toEqual(["tokensAB", "tokensAB2"]);
});

test("an encoder reads each input once, of one width; a ladder of encoders takes no time", () => {
  const rungs = Array.from({ length: 30 }, (_, i) => {
    const of = i === 0 ? "x, y" : `e${i - 1}, f${i - 1}`;
    return [encoder(`e${i}`, `, of: [${of}]`), encoder(`f${i}`, `, of: [${of}]`)];
  });
  const ladder = [encoder("x", ""), encoder("y", ""), ...rungs.flat(), encoder("top", ", of: [e29, f29]")];
  expect(new Set(found(spec(["x", "y"], ladder)))).toEqual(new Set(["check/unreadable-source"]));
  expect(found(spec(["x", "y"], [encoder("x", ""), encoder("y", "", 32), joined]))).toEqual([
    "check/unreadable-source",
  ]);
});

test.each(["class", "visible", "xHidden", "mask_token", "__proto__", "constructor"])(
  "no input is called %s",
  (label) => {
    const lines = [encoder("x", ""), encoder(label, ""), encoder("top", `, of: [x, ${label}]`)];
    expect(new Set(found(spec(["x", label], lines)))).toEqual(new Set(["check/taken-label"]));
  },
);

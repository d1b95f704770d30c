/** What is said of an adversary and the target that it judges. */

import { describe, expect, test } from "vitest";
import { analyzed } from "../../support/model.js";

const model = (name: string, ...lines: readonly string[]): string => `
model ${name} {
${lines.map((line) => `  ${line}\n`).join("")}}
`;

const base = [
  "input   image(size: 32x32, channels: 3)",
  "tokens  patch(size: 8x8)",
  "mask    random(ratio: 75%)",
  "encoder vit(depth: 1, width: 16, heads: 2)",
  "decoder vit(depth: 1, width: 16, heads: 2)",
  "loss    mse",
];

const adversary = "adversary patch_discriminator";

/** Each finding with the text it stands at and the text it refers to. */
function findings(text: string) {
  const { diagnostics } = analyzed(`edition 2026\n${text}`);
  const cut = ({ source, start, end }: { source: { text: string }; start: number; end: number }) =>
    source.text.slice(start, end);
  return diagnostics.map(({ code, span, related }) => [
    code,
    cut(span),
    ...(related ?? []).map((other) => cut(other.span)),
  ]);
}

const code = "adversary/patch_discriminator/pixels";

describe("an adversary", () => {
  test("judges targets that lead back to pixels", () => {
    expect(findings(model("Both", ...base, "target pixels(normalize: patch)", adversary))).toEqual([]);
    expect(findings(model("Both", ...base, "target pixels(normalize: none)", adversary))).toEqual([]);
  });

  test("is refused beside one that does not, and says which", () => {
    expect(findings(model("Both", ...base, "target hog(cell: 4x4)", adversary))).toEqual([
      [code, "patch_discriminator", "target hog(cell: 4x4)"],
    ]);
    expect(findings(model("Both", ...base, "target low_pass(radius: 4)", adversary))).toHaveLength(1);
  });

  test("judges what the model's own decoder predicts, not what others do", () => {
    const other = (target: string) => `target other: ${target} { decoder linear\n loss l1 }`;
    const own = "target pixels";
    const vit = base.map((line) => line.replace("decoder vit(depth: 1, width: 16, heads: 2)", "decoder linear"));
    expect(findings(model("Two", ...vit, own, other("hog(cell: 4x4)"), adversary))).toEqual([]);
    expect(findings(model("Two", ...vit, "target hog(cell: 4x4)", other("pixels"), adversary))).toHaveLength(1);
  });

  test("is judged in the child that changes its target, and not a second time in a grandchild", () => {
    const text = [
      model("Base", ...base, "target pixels", adversary),
      "model Child extends Base {\n  replace target hog(cell: 4x4)\n}",
      "model Grandchild extends Child {\n  set encoder.depth: 2\n}",
    ].join("\n");
    expect(findings(text).map(([found]) => found)).toEqual([code]);
  });
});

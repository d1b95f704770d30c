/** Families: which members there are, what they are called, and what they are as models. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Family, render } from "../../../compiler/index.js";
import { runs } from "../../support/fuzz.js";
import { analyzed, maeText } from "../../support/model.js";

function familyOf(lines: string, around = ""): Family {
  const { families, diagnostics } = analyzed(`${maeText}\nvariants Study of Mae {\n${lines}\n}\n${around}`);
  const family = families.get("Study");
  if (!family) throw new Error(diagnostics.map(({ message }) => message).join("\n"));
  return family;
}

const namesOf = (lines: string): readonly string[] => familyOf(lines).members.map(({ name }) => name);

const study = `
  let r = 50% | 75% | 90%
  mask          = random(ratio: r) | block(ratio: r) | spiral(ratio: r) | hilbert(ratio: r)
  decoder.depth = 1 | 4 | 8
  skip when mask is block and r > 75%`;

describe("names", () => {
  test("are those of the language's own example, in the order of the product", () => {
    const names = namesOf(study);
    expect(names).toHaveLength(33);
    expect(names.slice(0, 4)).toEqual([
      "Study.mask-random.r-50.decoder-depth-1",
      "Study.mask-random.r-50.decoder-depth-4",
      "Study.mask-random.r-50.decoder-depth-8",
      "Study.mask-random.r-75.decoder-depth-1",
    ]);
    expect(names).toContain("Study.mask-spiral.r-75.decoder-depth-4");
    expect(names).not.toContain("Study.mask-block.r-90.decoder-depth-4");
    expect(familyOf(study).skipped).toBe(3);
  });

  test.each([
    ["mask = spiral(ratio: 75%) | spiral(ratio: 75%, keep: center)", ["mask-spiral", "mask-spiral-keep-center"]],
    ["mask = random(ratio: 50%) | random(ratio: 12.5%)", ["mask-random-ratio-50", "mask-random-ratio-12_5"]],
    ["tokens.size = 16x16 | 32x16", ["tokens-size-16x16", "tokens-size-32x16"]],
    ["loss = mse | l1 | mse(on: all)", ["loss-mse", "loss-l1", "loss-mse-on-all"]],
    ["decoder = linear", ["only"]],
    ["let d = 2 | 4\n decoder.depth = d\n encoder.depth = d", ["d-2", "d-4"]],
    ["decoder.depth = 4 | 4.0", ["decoder-depth-4", "decoder-depth-4_0"]],
    ["decoder.depth = 4 | 4", ["decoder-depth-4", "decoder-depth-4-2"]],
  ])("%s", (lines, parts) => {
    expect(namesOf(lines)).toEqual(parts.map((part) => `Study.${part}`));
  });
});

describe("seeds", () => {
  test("are an axis like any other, and change no model", () => {
    const { members } = familyOf("let s = 1 | 2\n decoder.depth = 4 | 8\n seed = s");
    expect(members.map(({ name, seed }) => [name, seed])).toEqual([
      ["Study.decoder-depth-4.s-1", 1],
      ["Study.decoder-depth-4.s-2", 2],
      ["Study.decoder-depth-8.s-1", 1],
      ["Study.decoder-depth-8.s-2", 2],
    ]);
    const slots = members.map(({ model }) => render({ ...model, name: "One" }, null, { origin: false }));
    expect(slots[0]).toBe(slots[1]);
    expect(slots[0]).not.toBe(slots[2]);
    expect(members[1]?.differences).toEqual([
      { path: "decoder.depth", value: "4" },
      { path: "seed", value: "2" },
    ]);
    expect(familyOf("seed = 0 | 1").members.map(({ name }) => name)).toEqual(["Study.seed-0", "Study.seed-1"]);
    expect(familyOf("decoder.depth = 4 | 8").members[0]?.seed).toBeNull();
  });

  test.each([
    ["seed = 0 | -1", "`seed` is -1"],
    ["seed = 0 | 1.5", "`seed`"],
    ["seed.of = 0 | 1", "`seed` belongs in a recipe"],
    ["seed = 1 | 1", "`Study.seed-1` and `Study.seed-1-2` are the same model"],
    ["seed = 0 | 1\n seed = 2 | 3", "`seed` has alternatives twice"],
  ])("of a wrong kind are told: %s", (lines, message) => {
    const { diagnostics } = analyzed(`${maeText}\nvariants Study of Mae {\n${lines}\n}\n`);
    expect(diagnostics.map((one) => one.message).join("\n")).toContain(message);
  });
});

describe("a member", () => {
  test("is the model that extends the base by the same changes", () => {
    const member = familyOf(study).members.find(({ name }) => name === "Study.mask-spiral.r-75.decoder-depth-4");
    const written = `${maeText}
model Study_mask_spiral_r_75_decoder_depth_4 extends Mae {
  replace mask spiral(ratio: 75%)
  set decoder.depth: 4
}`;
    const model = analyzed(written).models.get("Study_mask_spiral_r_75_decoder_depth_4");
    expect(member && model).toBeTruthy();
    if (!member || !model) return;
    expect(render(member.model, null, { origin: false })).toBe(render(model, null, { origin: false }));
    expect(member.model.ancestry).toEqual(["Mae", model.name]);
    expect(member.differences).toEqual([
      { path: "mask", value: "spiral(ratio: 75%)" },
      { path: "decoder.depth", value: "4" },
    ]);
  });

  test("may be the base itself", () => {
    expect(namesOf("mask = random(ratio: 75%) | grid")).toHaveLength(2);
    expect(namesOf("decoder.depth = 8 | 4")).toHaveLength(2);
  });

  test("has values set in the block that another axis chose", () => {
    const family = familyOf("mask.keep = center | border\n  mask = spiral(ratio: 75%) | spiral(ratio: 50%)");
    expect(family.members.map(({ differences }) => differences.map(({ value }) => value))).toContainEqual([
      "border",
      "spiral(ratio: 50%, keep: border)",
    ]);
  });
});

describe("skip when", () => {
  const axes = "decoder.depth = 1 | 4 | 8\n  mask = random(ratio: 75%) | spiral(ratio: 75%, keep: center)";
  test.each([
    ["decoder.depth < 4", 4],
    ["decoder.depth == 4 or decoder.depth == 8 and mask is spiral", 3],
    ["mask.keep == center", 3],
    ["mask.ratio >= 75% and encoder.depth == 12 and decoder.depth != 1", 2],
    ["encoder.class_token == true and decoder.depth <= 4", 2],
    ["tokens.size == 16x16 and 4 > decoder.depth", 4],
  ])("%s", (condition, left) => {
    expect(familyOf(`${axes}\n  skip when ${condition}`).members).toHaveLength(left);
  });
});

test("names are unique, fit for files, and do not change with the text around the family", () => {
  const number = fc.integer({ min: 1, max: 12 }).map(String);
  const ratio = fc.integer({ min: 100, max: 900 }).map((tenth) => `${tenth / 10}%`);
  const mask = fc
    .tuple(fc.constantFrom("random", "block", "spiral", "hilbert"), ratio)
    .map(([block, share]) => `${block}(ratio: ${share})`);
  const some = (value: fc.Arbitrary<string>) => fc.array(value, { minLength: 1, maxLength: 4 });
  const axes = fc.record({ decoder: some(number), encoder: some(number), mask: some(mask) });
  const around = fc.constantFrom("", "// a note\n", "model Other extends Mae {\n  set encoder.depth: 3\n}\n");
  fc.assert(
    fc.property(axes, around, ({ decoder, encoder, mask: masks }, more) => {
      const lines = [
        `mask = ${masks.join(" | ")}`,
        `decoder.depth = ${decoder.join(" | ")}`,
        `encoder.depth = ${encoder.join(" | ")}`,
      ].join("\n");
      const { members } = familyOf(lines);
      const names = members.map(({ name }) => name);
      expect(names).toHaveLength(decoder.length * encoder.length * masks.length);
      expect(new Set(names.map((name) => name.toLowerCase())).size).toBe(names.length);
      expect(new Set(members.map(({ model }) => model.name)).size).toBe(names.length);
      for (const name of names) expect(name).toMatch(/^Study(\.[\w-]+)+$/);
      expect(familyOf(lines, more).members.map(({ name }) => name)).toEqual(names);
    }),
    { numRuns: runs(40) },
  );
});

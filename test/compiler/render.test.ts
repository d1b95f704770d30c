/** Rendered text is in the one format, reads back as an equal model, and says where each value comes from. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { axisNames, type Definition, type Kind, type ParamType, registry } from "../../blocks/index.js";
import {
  type Analysis,
  analyze,
  type Filled,
  type Model,
  type Recipe,
  render,
  type Use,
} from "../../compiler/index.js";
import { format } from "../../grammar/index.js";
import { runs } from "../support/fuzz.js";

const examples = join(import.meta.dirname, "../../examples");

/** Imports are looked for among the examples. */
const readText = (path: string): string | null => {
  const file = join(examples, path);
  return existsSync(file) ? readFileSync(file, "utf8") : null;
};

const check = (text: string): Analysis => analyze({ path: "test.mae", text }, { readText }, registry);

/** What a block says, without where it was said. */
const meaningOf = ({ kind, definition, values }: Use): unknown => [kind, definition.name, values];

const slotOf = ({ slot, label, use, inner }: Filled): unknown => [slot, label, meaningOf(use), inner.map(slotOf)];

const modelMeaning = ({ name, doc, slots }: Model): unknown => [name, doc, slots.map(slotOf)];

const recipeMeaning = (recipe: Recipe): unknown => [
  [recipe.name, recipe.doc],
  [...recipe.data, recipe.optimizer, recipe.schedule, ...recipe.augment].map(meaningOf),
  [...recipe.data, ...recipe.augment].map(({ input }) => input),
  recipe.evaluate.map(({ use, every }) => [meaningOf(use), every]),
  Object.entries(recipe.settings).map(([name, { value }]) => [name, value]),
];

/** The laws of rendering, for every model of a text and every recipe of one. */
function expectLaws(analysis: Analysis): void {
  const pairs: (readonly [Model, Recipe | null])[] = [...analysis.models.values()].map((model) => [model, null]);
  for (const recipe of analysis.recipes.values()) pairs.push([analysis.models.get(recipe.model) as Model, recipe]);
  for (const [model, recipe] of pairs) {
    for (const origin of [false, true]) {
      const text = render(model, recipe, { origin });
      expect(format({ path: "test.mae", text }).text).toBe(text);
      const again = check(text);
      expect(again.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
      expect(modelMeaning(again.models.get(model.name) as Model)).toEqual(modelMeaning(model));
      if (recipe) expect(recipeMeaning(again.recipes.get(recipe.name) as Recipe)).toEqual(recipeMeaning(recipe));
    }
  }
}

test.each(readdirSync(examples).filter((file) => file.endsWith(".mae")))("%s reads back", (file) => {
  const analysis = check(readFileSync(join(examples, file), "utf8"));
  expect(analysis.models.size).toBeGreaterThan(0);
  expectLaws(analysis);
});

const base = `edition 2026

/// A model.
///
/// Its second paragraph.
model Base {
  input   image(size: 32x48)
  tokens  patch(size: 8x8)
  mask    random
  encoder vit(depth: 2, width: 64, heads: 4)
  decoder vit(depth: 1, width: 32, heads: 2)
  target  pixels
  loss    mse
}
`;

test("inheritance is flattened", () => {
  const { models, diagnostics } = check(`${base}
model Child extends Base {
  set     encoder.depth: 6
  replace mask random(ratio: 50%)
  add     loss l1(weight: 0.001)
  remove  decoder
  add     decoder linear
}
`);
  expect(diagnostics).toEqual([]);
  const child = models.get("Child") as Model;
  expect(child.ancestry).toEqual(["Base", "Child"]);
  expect(render(child, null, { origin: false })).toBe(`edition 2026

model Child {
  input     image(size: 32x48, channels: 3)
  tokens    patch(size: 8x8)
  positions sin_cos
  mask      random(ratio: 50%, share: sample)
  encoder   vit(depth: 6, width: 64, heads: 4, mlp_ratio: 4, class_token: true)
  decoder   linear
  target    pixels(normalize: patch)
  loss      mse(on: hidden, weight: 1)
  loss      l1(on: hidden, weight: 0.001)
}
`);
});

test("each value says its file, line and how it came there", () => {
  const { models } = check(`${base}
model Child extends Base {
  set encoder.depth: 6
}
`);
  const lines = render(models.get("Child") as Model, null, { origin: true }).split("\n");
  const block = lines.slice(lines.findIndex((line) => line.includes("encoder")));
  expect(block.slice(0, 7)).toEqual([
    "  encoder   vit(",
    "    depth: 6, // test.mae:17 set",
    "    width: 64, // test.mae:10 written",
    "    heads: 4, // test.mae:10 written",
    "    mlp_ratio: 4, // test.mae:10 default",
    "    class_token: true, // test.mae:10 default",
    "  )",
  ]);
  expect(lines).toContain("  tokens    patch(size: 8x8) // test.mae:8 written");
  expect(lines).toContain("  positions sin_cos // test.mae:16 default");
});

const real = (min: number, max: number): fc.Arbitrary<string> =>
  fc
    .double({ min: Math.max(min, -1e6), max: Math.min(max, 1e6), noNaN: true })
    .map((value) => String(value + 0).replace("e+", "e"));

const percent = (min: number, max: number): fc.Arbitrary<string> =>
  fc.double({ min: min * 100, max: max * 100, noNaN: true }).map((value) => `${value + 0}%`);

const whole = (min: number, max: number): fc.Arbitrary<string> =>
  fc.integer({ min, max: Math.min(max, 64) }).map(String);

const byNumber = (a: string, b: string): number => Number.parseFloat(a) - Number.parseFloat(b);

/** Text of a value that the type may take; conditions of blocks may still refuse it. */
function textOf(type: ParamType, depth = 0): fc.Arbitrary<string> {
  switch (type.kind) {
    case "int":
      return whole(type.min, type.max);
    case "real":
      return real(type.min, type.max);
    case "ratio":
      return percent(type.min, type.max);
    case "size":
      return fc
        .array(whole(type.min, type.max), { minLength: type.count ?? 2, maxLength: type.count ?? 2 })
        .map((sides) => sides.join("x"));
    case "choice":
      return fc.constantFrom(...Object.keys(type.options));
    case "flag":
      return fc.constantFrom("true", "false");
    case "text":
      return fc.string().map((value) => JSON.stringify(value.replace(/[^ -~]/g, "")));
    case "reals":
      return fc
        .array(real(type.min, type.max), { minLength: type.length ?? 1, maxLength: type.length ?? 3 })
        .map((items) => `(${items.join(", ")})`);
    case "interval": {
      const ends = type.of === "ratio" ? percent(type.min, type.max) : real(type.min, type.max);
      return fc.tuple(ends, ends).map((pair) => pair.sort(byNumber).join(".."));
    }
    case "rate":
      return fc
        .tuple(real(type.min, 10), fc.option(whole(1, 64)))
        .map(([value, per]) => (per ? `${value} per ${per}` : value));
    case "duration":
      return fc.tuple(whole(type.min, 9), fc.constantFrom("epochs", "steps")).map((parts) => parts.join(" "));
    case "schedule": {
      const end = type.of === "ratio" ? percent(type.min, type.max) : real(type.min, type.max);
      const over = fc.oneof(
        fc.constantFrom("all epochs", "25%"),
        whole(0, 9).map((amount) => `${amount} steps`),
      );
      return fc.oneof(
        ...(type.drawn ? [fc.tuple(end, end).map((ends) => ends.sort(byNumber).join(".."))] : []),
        end,
        fc.tuple(end, end).map((ends) => ends.join(" -> ")),
        fc.tuple(end, end, over).map(([from, to, stretch]) => `${from} -> ${to} over ${stretch}`),
      );
    }
    case "block":
      return anyBlock(type.of as Kind, depth + 1);
    case "axes":
      return fc.subarray([...axisNames], { minLength: 1 }).map((names) => `[${names.join(", ")}]`);
    case "quantity":
      return fc
        .tuple(whole(Math.ceil(type.min), Math.min(type.max, 9999)), fc.constantFrom(type.of === "time" ? "ms" : "Hz"))
        .map((parts) => parts.join(" "));
    case "sources":
      return fc.constantFrom('"runs/mae"', '"runs/mae".encoder', '["a.pth".encoder, "b/c.safetensors".target.region]');
    case "parts":
    case "recipes":
      return fc.constantFrom("head", "[decoder, target.region]");
    case "labels":
      // A label that the models of this test have.
      return fc.constant("[only]");
  }
}

/** A block with its values; those that have a default are often left out: not all go together. */
const blockOf = ({ name, params }: Definition, depth: number): fc.Arbitrary<string> => {
  const values = Object.entries(params).map(([param, { type, default: usual }]) => {
    const written = textOf(type, depth).map((value) => [`${param}: ${value}`]);
    return usual === undefined ? written : fc.oneof(written, fc.constant<string[]>([]), fc.constant<string[]>([]));
  });
  return fc.tuple(...values).map((parts) => {
    const written = parts.flat();
    return written.length === 0 ? name : `${name}(${written.join(", ")})`;
  });
};

/** Of blocks that take blocks of their own kind, only those that do not stand in two others: `quantized` may hold `quantized`. */
const anyBlock = (kind: Kind, depth = 0): fc.Arbitrary<string> =>
  fc.oneof(
    ...(registry[kind] as readonly Definition[])
      .filter(({ params }) => depth < 2 || Object.values(params).every(({ type }) => type.kind !== "block"))
      .map((block) => blockOf(block, depth)),
  );

describe("any values read back", () => {
  const slots = ["tokens", "positions", "mask", "encoder", "decoder", "target", "loss"] as const;

  test("of models", () => {
    const one = fc.constantFrom(...slots).chain((slot) => anyBlock(slot).map((block) => [slot, block] as const));
    let sound = 0;
    fc.assert(
      fc.property(one, ([slot, block]) => {
        const without = base.split("\n").filter((line) => !line.trim().startsWith(`${slot} `));
        const analysis = check([...without.slice(0, -2), `  ${slot} ${block}`, "}", ""].join("\n"));
        sound += analysis.models.size;
        expectLaws(analysis);
      }),
      { numRuns: runs(80) },
    );
    expect(sound).toBeGreaterThan(5);
  });

  test("of recipes", () => {
    const line = fc.tuple(
      anyBlock("dataset"),
      anyBlock("augment"),
      anyBlock("optimizer"),
      anyBlock("schedule"),
      anyBlock("probe"),
      textOf({ kind: "duration", min: 1 }),
    );
    let sound = 0;
    fc.assert(
      fc.property(line, ([data, augment, optimizer, schedule, probe, every]) => {
        const text = `${base}
recipe Any for Base {
  data ${data}
  augment ${augment}
  optimizer ${optimizer}
  schedule ${schedule}
  steps 100
  evaluate ${probe} every ${every}
}
`;
        const analysis = check(text);
        sound += analysis.recipes.size;
        expectLaws(analysis);
      }),
      { numRuns: runs(80) },
    );
    expect(sound).toBeGreaterThan(1);
  });
});

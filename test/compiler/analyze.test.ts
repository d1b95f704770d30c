/** What analysis hands on: models and recipes after inheritance, imports below a root, blocks of a project's own. */

import { expect, test } from "vitest";
import { type Registry, recipeSettings, registry } from "../../blocks/index.js";
import {
  type Analysis,
  analyze,
  type Filled,
  type Host,
  type Model,
  type Recipe,
  trainingOf,
} from "../../compiler/index.js";
import { analyzed, withoutAdvice } from "../support/model.js";
import { agreement } from "./check/vocabulary.js";

const base = `edition 2026

/// The base.
model Base {
  let side = 16x16
  input   image(size: 64x96)
  tokens  patch(size: side)
  mask    random
  encoder vit(depth: 2, width: 64, heads: 4)
  decoder vit(depth: 1, width: 32, heads: 2)
  target  pixels
  loss    mse
  loss    l1(weight: 0.5)
}

recipe Short for Base {
  data      folder("data")
  augment   random_resized_crop(scale: 20%..100%), horizontal_flip
  epochs    2
  clip      1
  optimizer adamw(lr: 1e-3 per 256)
  schedule  cosine(warmup: 5 steps)
  evaluate  knn every 1 epochs
}
`;

const files = (table: Readonly<Record<string, string>>, root?: string): Host => ({
  readText: (path) => table[path] ?? null,
  ...(root === undefined ? {} : { root }),
});

const check = (text: string, host = files({}), blocks: Registry = registry, path = "main.mae"): Analysis =>
  analyze({ path, text }, host, blocks);

const findingsOf = ({ diagnostics }: Analysis) => withoutAdvice(diagnostics);

const sound = (analysis: Analysis): Analysis => {
  expect(findingsOf(analysis).map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
  return analysis;
};

const codesOf = (analysis: Analysis): readonly string[] => findingsOf(analysis).map(({ code }) => code);

const model = (analysis: Analysis, name: string): Model => analysis.models.get(name) as Model;
const recipe = (analysis: Analysis, name: string): Recipe => analysis.recipes.get(name) as Recipe;
const slot = ({ slots }: Model, name: string): readonly Filled[] => slots.filter((line) => line.slot === name);
const blocks = (lines: readonly Filled[]): readonly string[] => lines.map(({ use }) => use.definition.name);

test("a model has its slots in the language's order, values by unit, and its defaults", () => {
  const analysis = sound(check(base));
  const checked = model(analysis, "Base");
  expect(checked.slots.map((line) => line.slot)).toEqual([
    "input",
    "tokens",
    "positions",
    "mask",
    "encoder",
    "decoder",
    "target",
    "loss",
    "loss",
  ]);
  expect(checked.doc).toBe("The base.");
  expect(slot(checked, "tokens")[0]?.use.values).toEqual({ size: [16, 16], stride: null, norm: null });
  expect(slot(checked, "mask")[0]?.use.values).toEqual({
    ratio: 0.75,
    share: "sample",
    ...{ round: null, along: null, each: null, cell: null, hidden: null, on: null },
  });
  expect(slot(checked, "mask")[0]?.use.origins.ratio?.how).toBe("default");
  expect(slot(checked, "positions")[0]?.use.origin.how).toBe("default");
});

test("a recipe has all settings, those without a value as null", () => {
  const { settings, model: subject, augment, evaluate, schedule } = recipe(sound(check(base)), "Short");
  expect(subject).toBe("Base");
  const set = Object.entries(settings).filter(([, { value }]) => value !== null);
  expect(set.map(([name, { value }]) => [name, value])).toEqual([
    ["batch", 256],
    ["epochs", 2],
    ["seed", 0],
    ["clip", 1],
    ["precision", "float32"],
  ]);
  expect(Object.keys(settings)).toEqual(Object.keys(recipeSettings));
  expect(augment.map(({ definition }) => definition.name)).toEqual(["random_resized_crop", "horizontal_flip"]);
  expect(evaluate[0]?.every).toEqual({ amount: 1, unit: "epochs" });
  expect(schedule.values.warmup).toEqual({ amount: 5, unit: "steps" });
});

test("a recipe says what is done when numbers break; unsaid, nothing is handed on", () => {
  const text = base.replace("clip", "on_nan    rollback\n  clip");
  expect(text).not.toBe(base);
  expect(trainingOf(recipe(sound(check(text)), "Short"))).toMatchObject({ onNan: "rollback" });
  expect(trainingOf(recipe(sound(check(base)), "Short"))).not.toHaveProperty("onNan");
  const errors = check(base.replace("clip", "on_nan    skip\n  clip")).diagnostics.filter(
    ({ severity }) => severity === "error",
  );
  expect(errors.map(({ message, help }) => `${message} ${help}`)).toEqual([
    expect.stringMatching(/skip.*stop.*rollback/),
  ]);
});

test("changes are made in order, on lines found by slot, label or block", () => {
  const analysis = sound(
    check(`${base}
model Child extends Base {
  set     encoder.depth: 6
  set     loss.l1.weight: 2
  replace tokens patch(size: 8x8)
  remove  loss mse
  remove  decoder
  add     decoder linear
}

model Grandchild extends Child {
  replace loss smooth_l1, mse(on: all)
  replace positions learned
}

recipe Long extends Short for Grandchild {
  set     epochs: 20
  set     optimizer.weight_decay: 0.1
  remove  clip
  remove  augment horizontal_flip
  set     batch: 64
}
`),
  );
  const child = model(analysis, "Child");
  expect(slot(child, "encoder")[0]?.use.values.depth).toBe(6);
  expect(slot(child, "encoder")[0]?.use.origins.depth?.how).toBe("set");
  expect(slot(child, "loss").map(({ use }) => [use.definition.name, use.values.weight])).toEqual([["l1", 2]]);
  expect(blocks(slot(child, "decoder"))).toEqual(["linear"]);
  const grandchild = model(analysis, "Grandchild");
  expect(grandchild.ancestry).toEqual(["Base", "Child", "Grandchild"]);
  expect(blocks(slot(grandchild, "loss"))).toEqual(["smooth_l1", "mse"]);
  expect(blocks(slot(grandchild, "positions"))).toEqual(["learned"]);
  const long = recipe(analysis, "Long");
  expect([long.model, long.settings.epochs?.value, long.settings.clip?.value]).toEqual(["Grandchild", 20, null]);
  expect(long.augment).toHaveLength(1);
});

test("a broken model is not handed on, nor what stands on it; the others are", () => {
  const analysis = check(`${base}
model Broken extends Base {
  set encoder.heads: 5
}

model Child extends Broken {
  set encoder.depth: 3
}

recipe Train extends Short for Child {
  set epochs: 3
}
`);
  expect(codesOf(analysis)).toEqual(["encoder/vit/heads-divide-width"]);
  expect([...analysis.models.keys()]).toEqual(["Base"]);
  expect([...analysis.recipes.keys()]).toEqual(["Short"]);
});

test("imported models and recipes are known by the names they are imported under", () => {
  const table = { "lib/base.mae": base };
  const analysis = sound(
    check(
      `edition 2026

import { Base as Origin, Short } from "./lib/base.mae"

model Deep extends Origin {
  set encoder.depth: 9
}

recipe Mine extends Short {
  set seed: 7
}
`,
      files(table),
    ),
  );
  expect([...analysis.models.keys()]).toEqual(["Origin", "Deep"]);
  expect(recipe(analysis, "Mine").model).toBe("Origin");
  expect(slot(model(analysis, "Deep"), "input")[0]?.use.origin.span.source.path).toBe("lib/base.mae");
});

test("the model of an imported recipe comes along, though the file does not name it", () => {
  const text = `edition 2026

import { Short } from "./base.mae"

recipe Mine extends Short {
  set seed: 7
}
`;
  const analysis = sound(check(text, files({ "base.mae": base })));
  expect(recipe(analysis, "Mine").model).toBe("base.mae:Base");
  expect(model(analysis, "base.mae:Base").name).toBe("Base");
});

test("errors of an imported file are told in it, its advice is not", () => {
  const broken = base.replace("let side", "let unused = 1\n  let side").replace("heads: 4", "heads: 5");
  const text =
    'edition 2026\n\nimport { Base } from "./base.mae"\n\nmodel Deep extends Base {\n  set encoder.depth: 9\n}\n';
  const { diagnostics } = check(text, files({ "base.mae": broken }));
  expect(diagnostics.map(({ code, span }) => [code, span.source.path])).toEqual([
    ["encoder/vit/heads-divide-width", "base.mae"],
  ]);
});

test.each([
  ["main.mae", undefined, "./lib/../base.mae", "base.mae", null],
  ["specs/main.mae", undefined, "../base.mae", "base.mae", null],
  ["main.mae", undefined, "../base.mae", "../base.mae", "check/import-outside-root"],
  ["main.mae", undefined, "./a/../../base.mae", "../base.mae", "check/import-outside-root"],
  ["../specs/main.mae", undefined, "./base.mae", "../specs/base.mae", null],
  ["../specs/main.mae", undefined, "../base.mae", "../base.mae", "check/import-outside-root"],
  ["/project/specs/main.mae", "/project", "../base.mae", "/project/base.mae", null],
  ["/project/specs/main.mae", undefined, "../base.mae", "/project/base.mae", "check/import-outside-root"],
  ["/project/main.mae", "/project", "../project2/base.mae", "/project2/base.mae", "check/import-outside-root"],
])("%s below %s imports %s", (path, root, from, target, refused) => {
  const text = `edition 2026\n\nimport { Base } from "${from}"\n\nmodel Deep extends Base {\n  set encoder.depth: 9\n}\n`;
  const analysis = check(text, files({ [target]: base }, root), registry, path);
  expect(codesOf(analysis)).toEqual(refused === null ? [] : [refused]);
  expect(analysis.models.has("Deep")).toBe(refused === null);
});

test("a project's own block is checked like any other: labels and blocks as values", () => {
  const own: Registry = { ...registry, loss: [...registry.loss, agreement] };
  const withLoss = (loss: string): string =>
    base.replace("input   image", "input left: image").replace("  loss    mse\n", `  loss mse\n  loss ${loss}\n`);
  const fine = sound(check(withLoss("agreement(between: [left], by: l1(weight: 0.25))"), files({}), own));
  expect(slot(model(fine, "Base"), "loss")[1]?.use.values).toMatchObject({
    between: ["left"],
    by: { block: { name: "l1" }, values: { on: "hidden", weight: 0.25 } },
  });
  const wrong = check(withLoss("agreement(between: [right], by: l2)"), files({}), own);
  expect(codesOf(wrong)).toEqual(["check/unknown-label", "check/unknown-block"]);
  expect(codesOf(check(withLoss("agreement(between: left)"), files({}), own))).toEqual(["check/wrong-type"]);
});

test.each([
  ["target  pixels(norm_pix_loss: true)", "check/unknown-parameter", "did you mean `normalize`?"],
  ["loss    l2(on: hidden)", "check/unknown-block", "the blocks for `loss` are"],
])("%s has no fix, which would change what is meant", (line, code, help) => {
  const { diagnostics } = analyzed(`edition 2026\n\nmodel A {\n  ${line}\n}\n`);
  const found = diagnostics.find((finding) => finding.code === code);
  expect(found?.help?.toLowerCase()).toContain(help);
  expect(found?.fix).toBeUndefined();
});

test("where sources are kept, what is checked once says the same each time, and follows what has changed", () => {
  const sound = files({ "base.mae": base });
  const child = 'import { Base, Short } from "./base.mae"\nmodel Child extends Base {\n  set mask.ratio: 50%\n}\n';
  const recipe = "recipe Long extends Short for Child {\n  set epochs: 3\n}\n";
  // One mistake that is told of an import too, and a remark that is not.
  const broken = base.replace("heads: 4", "heads: 5").replace("  loss    l1", "  let unused = 1\n  loss    l1");
  const texts = [
    ["base.mae", base],
    ["main.mae", `edition 2026\n${child}${recipe}`],
    ["other.mae", `edition 2026\n${child.replace("50%", "60%")}${recipe}`],
    ["main.mae", `edition 2026\n${child}${recipe.replace("set epochs: 3", "set epoch: 3")}`],
  ] as const;
  const sources = new Map();
  for (const text of [base, broken, base, broken.replace("heads: 5", "heads: 8")]) {
    const host = { ...sound, readText: (path: string) => (path === "base.mae" ? text : null) };
    for (const [path, own] of [...texts, ...texts]) {
      const given = path === "base.mae" ? text : own;
      const source = sources.get(path)?.text === given ? sources.get(path) : { path, text: given };
      sources.set(path, source);
      const [once, again] = [analyze(source, { ...host, sources }, registry), check(given, host, registry, path)];
      expect(once.diagnostics).toEqual(again.diagnostics);
      expect([...once.models]).toEqual([...again.models]);
      expect([...once.recipes]).toEqual([...again.recipes]);
    }
  }
});

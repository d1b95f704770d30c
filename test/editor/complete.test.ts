/** What is offered at a cursor: in the texts that people have while they write, and at every place of every example. */

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { defineMask, int, type Registry, registry } from "../../blocks/index.js";
import { complete, definition, hover } from "../../editor/index.js";
import { type Declaration, type ModelEntry, parse, type Span, tokensOf } from "../../grammar/index.js";
import { runs } from "../support/fuzz.js";
import { beside, besideExamples, cursorIn, examples } from "./cursor.js";

const offered = (text: string, around = beside()) => {
  const { source, offset } = cursorIn(text);
  return complete(source, offset, around);
};

const names = (text: string, around = beside()): readonly string[] => offered(text, around).map(({ name }) => name);

const namesOf = (kind: keyof Registry): readonly string[] => registry[kind].map(({ name }) => name);

const base = `edition 2026
model Base {
  input   image(size: 28x28, channels: 1)
  tokens  patch(size: 7x7)
  mask    random(ratio: 75%)
  encoder vit(depth: 2, width: 32, heads: 4)
  decoder vit(depth: 1, width: 32, heads: 4)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}
`;

describe("at the top of a file", () => {
  it("offers what begins a declaration", () => {
    expect(names("<|>")).toEqual(["edition", "import", "model", "recipe", "variants", "pipeline"]);
    expect(names("edition 2026\n\nmo<|>")).toEqual(["import", "model", "recipe", "variants", "pipeline"]);
    expect(names("edition <|>")).toEqual(["2026"]);
  });

  it("offers the joining words of a head, each once, and the names behind them", () => {
    expect(names(`${base}model B <|>`)).toEqual(["extends"]);
    expect(names(`${base}model B extends <|> {\n}`)).toEqual(["Base"]);
    expect(names(`${base}recipe R extends <|>`)).toEqual([]);
    expect(names(`${base}recipe R {}\nrecipe S extends R <|>`)).toEqual(["for"]);
    expect(names(`${base}recipe R for <|>`)).toEqual(["Base"]);
    expect(names(`${base}variants V of B<|> {`)).toEqual(["Base"]);
    expect(names("model <|>")).toEqual([]);
  });

  it("offers what the file of an import declares", () => {
    const around = beside({ "lib/base.mae": `${base}recipe Slow for Base {\n}\n` });
    expect(names('import { <|> } from "./lib/base.mae"', around)).toEqual(["Base", "Slow"]);
    expect(names('import { Base, <|> } from "./lib/base.mae"', around)).toEqual(["Slow"]);
    expect(names('import { Base <|> } from "./lib/base.mae"', around)).toEqual(["as"]);
    expect(names("import { Base } <|>", around)).toEqual(["from"]);
    expect(names('import { Base as Small } from "./lib/base.mae"\nmodel M extends <|>', around)).toEqual(["Small"]);
  });
});

describe("where weights come from", () => {
  const recipe = (line: string) => names(`${base}recipe R for Base {\n  ${line}\n}\n`);
  const stage = (line: string) => names(`${base}recipe R for Base {\n}\npipeline P {\n  ${line}\n}\n`);

  it("offers the parts of the model behind a file, in recipes and stages", () => {
    const parts = ["tokens", "encoder", "decoder"];
    expect(recipe('from "runs/mae".<|>')).toEqual(parts);
    expect(recipe('from ["a.pth".encoder, "b.pth".<|>]')).toEqual(parts);
    expect(recipe("fresh <|>")).toEqual(parts);
    expect(recipe("fresh [encoder, <|>]")).toEqual(parts);
    expect(stage('stage a = R of Base from "runs/mae".<|>')).toEqual(parts);
    expect(stage('stage a = R of Base from "runs/mae".encoder <|>')).toEqual(["fresh"]);
    expect(recipe('from "runs/mae" <|>')).toEqual([]);
    expect(recipe("<|>")).toContain("from");
  });
});

describe("in a model", () => {
  it("offers the slots that have room", () => {
    const found = names("model A {\n  input image(size: 8x8)\n  teacher ema\n  <|>\n}");
    expect(found).toContain("mask");
    expect(found).toContain("let");
    expect(found).toContain("input");
    expect(found).not.toContain("teacher");
    expect(found).not.toContain("optimizer");
    expect(found).toContain("views");
  });

  it("offers the blocks of a slot, in lines that nothing follows and in braces that nobody closed", () => {
    expect(names("model A {\n  mask <|>\n}")).toEqual(namesOf("mask"));
    expect(names("model A {\n  mask ra<|>")).toEqual(namesOf("mask"));
    expect(names("model A {\n  mask main: <|>\n  encoder vit(depth: 1)\n}")).toEqual(namesOf("mask"));
    expect(names("model A {\n  loss mse, <|>\n}")).toEqual(namesOf("loss"));
    expect(names("model A extends B {\n  replace mask <|>\n}")).toEqual(namesOf("mask"));
  });

  it("offers the parameters that are not given yet, before and behind the cursor", () => {
    const all = ["depth", "width", "heads"];
    expect(names("model A {\n  encoder vit(<|>")).toEqual(expect.arrayContaining(all));
    expect(names("model A {\n  encoder vit(depth: 2, <|>, heads: 4)\n}")).toContain("width");
    expect(names("model A {\n  encoder vit(depth: 2, <|>, heads: 4)\n}")).not.toContain("depth");
    expect(names("model A {\n  encoder vit(depth: 2, <|>, heads: 4)\n}")).not.toContain("heads");
    expect(names("model A {\n  encoder vit(depth: 2, wi<|>\n  decoder linear\n}")).toContain("width");
  });

  it("offers options, truth values and units of a parameter", () => {
    expect(names("model A {\n  loss mse(on: <|>)\n}")).toEqual(["hidden", "visible", "all"]);
    expect(names("model A {\n  encoder vit(class_token: <|>)\n}")).toEqual(["true", "false"]);
    expect(names("model A {\n  mask random(ratio: 75<|>)\n}")).toEqual(["%"]);
    expect(names("model A {\n  encoder vit(depth: 12<|>)\n}")).toEqual([]);
    expect(names("model A {\n  teacher ema(momentum: 0.99 -> 1 <|>)\n}")).toEqual(["over"]);
    expect(names("model A {\n  teacher ema(momentum: 0.99 -> 1 over <|>)\n}")).toEqual(["all"]);
    expect(names("model A {\n  teacher ema(momentum: 0.99 -> 1 over 30 <|>)\n}")).toEqual(["epochs", "steps", "%"]);
    expect(names("model A {\n  teacher ema(momentum: 0.99 -> 1 over all <|>)\n}")).toEqual(["epochs"]);
  });

  it("offers blocks as values, and the parameters of those", () => {
    expect(names("model A {\n  target regions(source: <|>)\n}")).toEqual(namesOf("regions"));
    expect(names("model A {\n  target regions(source: felzenszwalb(<|>))\n}")).toContain("min_size");
  });

  it("offers the variables of the body where a value stands, and none of other bodies", () => {
    const text = "model A {\n  let r = 75%\n  mask random(ratio: <|>)\n}\nmodel B {\n  let other = 1\n}";
    expect(names(text)).toEqual(["r"]);
  });

  it("offers the slots of a target's own braces", () => {
    const text = "model A {\n  target region: regions(count: 4) {\n    <|>\n  }\n}";
    expect(names(text)).toEqual(["encoder", "decoder", "loss", "let"]);
    expect(names(text.replace("<|>", "loss <|>"))).toEqual(namesOf("loss"));
  });

  it("says in a child what can be changed", () => {
    const child = (line: string) => names(`${base}model B extends Base {\n  ${line}\n}`);
    expect(child("<|>")).toEqual(["add", "replace", "remove", "set", "let"]);
    expect(child("add <|>")).toContain("teacher");
    expect(child("replace <|>")).toContain("mask");
    expect(child("replace <|>")).not.toContain("teacher");
    expect(child("remove <|>")).not.toContain("teacher");
    expect(child("set <|>")).toContain("encoder");
    expect(child("set encoder.<|>")).toContain("depth");
    expect(child("set encoder.de<|>pth: 3")).toContain("depth");
    expect(child("set loss.on: <|>")).toEqual(["hidden", "visible", "all"]);
    expect(child("set loss.mse.<|>")).toContain("weight");
  });

  it("offers labels where a value names them", () => {
    const text = "model A {\n  input audio: image(size: 8x8)\n  input video: image(size: 8x8)\n  tokens <|>\n}";
    expect(names(text)).toEqual([...namesOf("tokens"), "audio", "video"]);
  });
});

describe("in a recipe", () => {
  it("offers slots and plain values that are not there yet", () => {
    const found = names("recipe R for A {\n  batch 64\n  <|>\n}");
    expect(found).toEqual(expect.arrayContaining(["data", "augment", "epochs", "seed"]));
    expect(found).not.toContain("batch");
    expect(found).not.toContain("mask");
  });

  it("counts an unnamed argument as given", () => {
    expect(names('recipe R for A {\n  data folder("images", <|>)\n}')).toContain("labels");
    expect(names('recipe R for A {\n  data folder("images", <|>)\n}')).not.toContain("path");
    expect(names("recipe R for A {\n  data folder(<|>)\n}")).toContain("path");
  });

  it("offers units and what joins numbers", () => {
    expect(names("recipe R for A {\n  optimizer adamw(lr: 1e-3 <|>)\n}")).toEqual(["per"]);
    expect(names("recipe R for A {\n  schedule cosine(warmup: 40 <|>)\n}")).toEqual(["epochs", "steps"]);
    expect(names("recipe R for A {\n  evaluate knn(k: 20) <|>\n}")).toEqual(["every"]);
    expect(names("recipe R for A {\n  evaluate knn(k: 20) every 5 <|>\n}")).toEqual(["epochs", "steps"]);
    expect(names("recipe R for A {\n  precision <|>\n}")).toEqual(["float32", "bfloat16"]);
    expect(names("recipe R for A {\n  augment horizontal_flip,\n    <|>\n}")).toEqual(namesOf("augment"));
  });
});

describe("in variants and pipelines", () => {
  const family = (line: string) => names(`${base}variants V of Base {\n  let r = 50% | 75%\n  ${line}\n}`);

  it("offers what can vary, and between what", () => {
    expect(family("<|>")).toEqual(expect.arrayContaining(["let", "skip", "mask", "decoder"]));
    expect(family("mask = random(ratio: r) | <|>")).toEqual([...namesOf("mask"), "r"]);
    expect(family("mask = random(ratio: <|>")).toEqual(["r"]);
    expect(family("decoder.<|>")).toContain("depth");
    expect(family("loss.on = hidden | <|>")).toEqual(["hidden", "visible", "all", "r"]);
  });

  it("offers the parts of a condition", () => {
    expect(family("skip <|>")).toEqual(["when"]);
    expect(family("skip when <|>")).toEqual(expect.arrayContaining(["mask", "r"]));
    expect(family("skip when mask <|>")).toEqual(["is"]);
    expect(family("skip when mask is <|>")).toEqual(namesOf("mask"));
    expect(family("skip when mask is random <|>")).toEqual(["and", "or"]);
    expect(family("skip when r > 75 <|>")).toContain("%");
    expect(family("skip when mask is random and decoder.<|>")).toContain("depth");
  });

  it("offers recipes, models, earlier stages and their parts", () => {
    const stages = (line: string) =>
      names(`${base}recipe R for Base {\n}\npipeline P {\n  stage one = R of Base\n  ${line}\n}`);
    expect(stages("<|>")).toEqual(["stage", "evaluate"]);
    expect(stages("stage two = <|>")).toEqual(["R"]);
    expect(stages("stage two = R <|>")).toEqual(["of"]);
    expect(stages("stage two = R of <|>")).toEqual(["Base"]);
    expect(stages("stage two = R of Base <|>")).toEqual(["from", "fresh"]);
    expect(stages("stage two = R of Base from <|>")).toEqual(["one"]);
    expect(stages("stage two = R of Base from one.<|>")).toContain("encoder");
    expect(stages("stage two = R of Base from one.<|>")).not.toContain("mask");
    expect(stages("stage two = R of Base from one.encoder fresh <|>")).toContain("decoder");
    expect(stages("evaluate <|>")).toEqual(["one"]);
    expect(stages("evaluate one: <|>")).toEqual(namesOf("probe"));
  });
});

describe("what is inserted", () => {
  const insertion = (text: string, name: string) => offered(text).find((one) => one.name === name);

  it("has a place for each argument that a block cannot do without", () => {
    expect(insertion("model A {\n  decoder <|>\n}", "vit")).toMatchObject({
      insert: "vit",
      snippet: `vit(depth: \${1:1}, width: \${2:1}, heads: \${3:1})`,
    });
    expect(insertion("model A {\n  mask <|>\n}", "random")?.snippet).toBeNull();
    expect(insertion("recipe R {\n  data <|>\n}", "folder")?.snippet).toBe(`folder("\${1}")`);
    expect(insertion("model A {\n  decoder vi<|>(depth: 2)\n}", "vit")?.snippet).toBeNull();
  });

  it("does not write a colon twice", () => {
    expect(insertion("model A {\n  encoder vit(<|>)\n}", "depth")?.insert).toBe("depth: ");
    expect(insertion("model A {\n  encoder vit(wi<|>dth: 3)\n}", "width")?.insert).toBe("width");
  });

  it("takes the place of the whole word", () => {
    const { source, offset } = cursorIn("model A {\n  mask ran<|>dom(ratio: 75%)\n}");
    const [first] = complete(source, offset, beside());
    expect(first && source.text.slice(first.span.start, first.span.end)).toBe("random");
  });

  it("says what it is", () => {
    const [depth] = offered("model A {\n  encoder vit(<|>)\n}");
    expect(depth?.detail).toBe("whole number, 1 to 1024; must be written");
    expect(depth?.summary).toMatch(/\.$/);
  });
});

it("offers nothing in comments, in quotes and in numbers", () => {
  for (const text of [
    "// mask <|>\n",
    "model A { /* <|> */ }",
    "/// About <|>\nmodel A {}",
    'recipe R {\n  data folder("<|>")\n}',
    'recipe R {\n  data folder("<|>\n}',
    "model A {\n  mask random(ratio: 7<|>5%)\n}",
  ]) {
    expect(names(text), text).toEqual([]);
  }
});

it("offers a project's own blocks, their parameters and their words", () => {
  const rows = defineMask({
    name: "rows",
    summary: "Hides whole rows.",
    source: "own definition",
    since: "1.0",
    params: { every: int({ min: 2, default: 4, doc: "One row in this many stays visible." }) },
    visible: () => 1,
    sample: () => Int32Array.of(0),
  });
  const around = beside({}, { ...registry, mask: [...registry.mask, rows] });
  expect(offered("model A {\n  mask r<|>\n}", around)).toContainEqual(
    expect.objectContaining({ name: "rows", kind: "block", summary: "Hides whole rows." }),
  );
  expect(offered("model A {\n  mask rows(<|>)\n}", around)).toEqual([
    expect.objectContaining({ name: "every", detail: "whole number, at least 2; default `4`" }),
  ]);
});

describe("every example", () => {
  /** Where the text gives a name to something new. */
  function* newNames(declaration: Declaration): Generator<Span> {
    if (declaration.name) yield declaration.name.span;
    for (const entry of declaration.entries) {
      if (entry.kind === "let") yield entry.name.span;
      if (entry.kind === "stage") yield entry.name.span;
      if (entry.kind === "slot") yield* labels(entry);
    }
  }

  function* labels(entry: ModelEntry): Generator<Span> {
    if (entry.kind !== "slot") return;
    if (entry.label) yield entry.label.span;
    for (const inner of entry.entries ?? []) yield* labels(inner);
  }

  it("has each of its words, but new names, among what is offered where it stands", () => {
    const missing: string[] = [];
    let seen = 0;
    for (const source of examples) {
      const fresh = new Set(
        parse(source).file.declarations.flatMap((one) => [...newNames(one)].map(({ start }) => start)),
      );
      for (const { kind, text, start, end } of tokensOf(source)) {
        if (kind !== "word" || fresh.has(start)) continue;
        // Before a word and behind it the same is offered: every second one is asked for at its end.
        const offset = seen++ % 2 === 0 ? start : end;
        const found = complete(source, offset, besideExamples).some(({ name }) => name === text);
        if (!found) missing.push(`${source.path}:${offset}: ${text}`);
      }
    }
    expect(seen).toBeGreaterThan(500);
    expect(missing).toEqual([]);
  });

  it("can be cut off or spoilt anywhere: something or nothing is offered", () => {
    const spoilt = fc.record({
      source: fc.constantFrom(...examples),
      start: fc.nat(4000),
      length: fc.nat(80),
      put: fc.constantFrom("", "(", "{", "}", '"', "mask ", "/*", " 12 ", ", ", "let x = "),
      at: fc.nat(4000),
    });
    fc.assert(
      fc.property(spoilt, ({ source: { path, text }, start, length, put, at }) => {
        const broken = { path, text: text.slice(0, start) + put + text.slice(start + length) };
        const offset = Math.min(at, broken.text.length);
        for (const one of complete(broken, offset, besideExamples)) {
          expect(one.name).not.toBe("");
          expect(one.span.source).toBe(broken);
        }
        expect(hover(broken, offset, besideExamples, () => null)?.text).not.toBe("");
        expect(definition(broken, offset, besideExamples)?.start).not.toBeNaN();
      }),
      { numRuns: runs(100) },
    );
  });

  it("can be asked at every offset", () => {
    const source = examples.find(({ path }) => path === "digits-r-mae.mae");
    if (!source) throw new Error("the example is gone");
    for (let offset = source.text.indexOf("model"); offset <= source.text.length; offset++) {
      expect(complete(source, offset, besideExamples)).toBeInstanceOf(Array);
    }
  });
});

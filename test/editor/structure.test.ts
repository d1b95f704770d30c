/** What an editor draws over a text and beside it: colours by meaning, folds, hints, signatures; and paths of imports. */

import { describe, expect, it } from "vitest";
import { registry } from "../../blocks/index.js";
import { analyze } from "../../compiler/index.js";
import { folds, hints, importPathAt, importPaths, renamable, semanticTokens, signature } from "../../editor/index.js";
import { parse, type Source, tokensOf } from "../../grammar/index.js";
import { beside, besideExamples, cursorIn, examples } from "./cursor.js";

const textAt = ({ source, start, end }: { source: Source; start: number; end: number }) =>
  source.text.slice(start, end);

describe("colours by meaning", () => {
  const tokensIn = (source: Source) => semanticTokens(source, { ...besideExamples, file: parse(source).file });

  it("know every word of the examples, and overlap nowhere", () => {
    for (const source of examples) {
      const tokens = tokensIn(source);
      const ends = [0, ...tokens.map(({ span }) => span.end)];
      expect(tokens.filter(({ span }, i) => span.start < (ends[i] ?? 0))).toEqual([]);
      const starts = new Set(tokens.map(({ span }) => span.start));
      const words = tokensOf(source).filter(({ kind, text }) => kind === "word" && text !== "");
      expect(
        words.filter(({ start }) => !starts.has(start)).map(({ text }) => text),
        source.path,
      ).toEqual([]);
    }
  });

  it("say what a word is by where it stands", () => {
    const text = `import { A as B } from "./a.mae" // model
model M extends B {
  let r = 75%
  mask random(ratio: r)
  add target t: pixels(normalize: patch) /* one
  two */
  set target.t.normalize: none
  set encoder.depth: 12
}
pipeline P {
  stage s = R of M from s.encoder fresh target.t
}
`;
    const said = tokensIn({ path: "m.mae", text }).map(
      ({ kind, span, gives }) => `${textAt(span)} ${kind}${gives ? "!" : ""}`,
    );
    expect(said).toEqual(
      [
        [
          "import keyword",
          "A imported",
          "as keyword",
          "B declaration!",
          "from keyword",
          '"./a.mae" text',
          "// model comment",
        ],
        ["model keyword", "M declaration!", "extends keyword", "B declaration"],
        ["let keyword", "r variable!", "= sign", "75 number", "% unit"],
        ["mask slot", "random block", "ratio parameter", "r variable"],
        [
          "add keyword",
          "target slot",
          "t label!",
          "pixels block",
          "normalize parameter",
          "patch option",
          "/* one comment",
          "  two */ comment",
        ],
        ["set keyword", "target slot", ". sign", "t label", ". sign", "normalize parameter", "none option"],
        ["set keyword", "encoder slot", ". sign", "12 number"],
        ["pipeline keyword", "P declaration!"],
        [
          "stage keyword",
          "s stage!",
          "= sign",
          "R declaration",
          "of keyword",
          "M declaration",
          "from keyword",
          "s stage",
          ". sign",
        ],
        ["encoder slot", "fresh keyword", "target slot", ". sign", "t label"],
      ].flat(),
    );
  });
});

describe("half a text", () => {
  it("is no reason to fail", () => {
    for (const { path, text } of examples) {
      for (const part of [3, 7, 13]) {
        const source = { path, text: text.slice(0, (text.length * part) >> 4) };
        const offset = source.text.length;
        const file = parse(source).file;
        semanticTokens(source, { ...besideExamples, file });
        folds(parse(source));
        signature(source, offset, besideExamples);
        importPathAt(source, offset);
        renamable(source, offset, besideExamples);
      }
    }
  });
});

describe("folds", () => {
  it("are bodies, braces in them, imports and comments of several lines", () => {
    const text = `// one
// two

import { A } from "./a.mae"
import { B } from "./b.mae"

model M extends A {
  add target t: regions(count: 2) {
    loss bce(on: hidden)
  }
}
recipe R extends B {}
/* three
   four */
`;
    expect(folds(parse({ path: "m.mae", text }))).toEqual([
      { kind: "body", first: 7, last: 10 },
      { kind: "body", first: 8, last: 9 },
      { kind: "imports", first: 4, last: 5 },
      { kind: "comment", first: 1, last: 2 },
      { kind: "comment", first: 13, last: 14 },
    ]);
  });
});

describe("hints", () => {
  const host = { readText: (path: string) => examples.find((one) => one.path === path)?.text ?? null };
  const hintsOf = (name: string, range = { start: 0, end: Number.POSITIVE_INFINITY }) => {
    const source = examples.find(({ path }) => path === name) as Source;
    return hints(source, range, analyze(source, host, registry), (compute) => compute());
  };
  const said = (name: string) => hintsOf(name).map(({ after, text }) => `${textAt(after)} ${text}`);

  it("tell shapes behind slots and the learning rate of the batch, as published", () => {
    expect(said("mae-base.mae")).toEqual([
      "patch(size: 16x16) 14x14 = 196 tokens",
      "random(ratio: 75%) 49 of 196 visible",
      "vit(depth: 12, width: 768, heads: 12) 50 x 768",
      "vit(depth: 8, width: 512, heads: 16) 196 x 768",
      "1.5e-4 per 256 = 2.4e-3",
    ]);
    expect(hintsOf("mae-base.mae")[4]?.why).toBe("1.5e-4 x 4096 / 256 = 2.4e-3");
  });

  it("stand where the value is written, each once, and only in the range that is shown", () => {
    // All of it but the encoder is inherited from another file.
    expect(said("mae-large.mae")[0]).toMatch(/^vit\(depth: 24, width: 1024, heads: 16\) 50 x 1024$/);
    expect(hintsOf("mae-base.mae", { start: 0, end: 10 })).toEqual([]);
    for (const { path } of examples) {
      const places = hintsOf(path).map(({ after }) => after.start);
      expect(new Set(places).size, path).toBe(places.length);
    }
  });
});

describe("a signature", () => {
  const at = (text: string) => {
    const { source, offset } = cursorIn(text);
    const found = signature(source, offset, beside());
    return (
      found && [
        found.label.slice(0, found.label.indexOf("(")),
        found.active === null
          ? null
          : found.label.slice(found.parameters[found.active]?.start, found.parameters[found.active]?.end),
      ]
    );
  };

  it("is that of the innermost block, with the parameter that is written", () => {
    expect(at("model A {\n  mask random(<|>)\n}")).toEqual(["random", null]);
    expect(at("recipe R {\n  data folder(<|>)\n}")).toEqual(["folder", "path"]);
    expect(at("model A {\n  mask random(ratio: 75<|>%)\n}")).toEqual(["random", "ratio"]);
    expect(at("model A {\n  encoder vit(depth: 12, wid<|>\n}")).toEqual(["vit", null]);
    expect(at("model A {\n  encoder vit(depth: 12, width: <|>)\n}")).toEqual(["vit", "width"]);
    expect(at("recipe R {\n  optimizer adamw(lr: 1, betas: (0.9, <|>0.95))\n}")).toEqual(["adamw", "betas"]);
    expect(at('recipe R {\n  data folder("da<|>ta")\n}')).toEqual(["folder", "path"]);
    expect(at("model A {\n  target regions(source: felzenszwalb(scale: <|>5), count: 8)\n}")).toEqual([
      "felzenszwalb",
      "scale",
    ]);
    expect(at("model A {\n  target regions(source: felzenszwalb(scale: 5)<|>, count: 8)\n}")).toEqual([
      "regions",
      "source",
    ]);
  });

  it("is none outside of parentheses, of what is no block, and in what cannot be read", () => {
    for (const text of [
      "model A {\n  mask random(75%)<|>\n}",
      "model A {\n  mask nothing(<|>)\n}",
      "<|>",
      "(<|>",
      ")(<|>",
      "model A {\n  let b = (0.9, <|>)\n}",
    ]) {
      expect(at(text), text).toBeNull();
    }
  });
});

describe("paths of imports", () => {
  const specs = ["a.mae", "b.mae", "deep/c.mae", "deep/er/d.mae"].map((path) => ({ path, text: "" }));
  const offered = (text: string, path: string) => {
    const { source, offset } = cursorIn(text, path);
    const span = importPathAt(source, offset);
    return span && [textAt(span), importPaths(span, specs)];
  };

  it("are those of the project from the file's folder outwards, in the place of what is written", () => {
    expect(offered('import { A } from "./<|>b"\n', "a.mae")).toEqual([
      "./b",
      ["./b.mae", "./deep/c.mae", "./deep/er/d.mae"],
    ]);
    expect(offered('import { A } from "<|>\n', "deep/c.mae")).toEqual(["", ["./er/d.mae", "../a.mae", "../b.mae"]]);
    expect(offered('import { A } from ""<|>\n', "a.mae")).toBeNull();
    expect(offered('recipe R {\n  data folder("<|>")\n}\n', "a.mae")).toBeNull();
  });
});

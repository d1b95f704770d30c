/** What is said of the word under a cursor, and where it leads. */

import { describe, expect, it } from "vitest";
import { definition, hover } from "../../editor/index.js";
import { beside, besideExamples, cursorIn, examples } from "./cursor.js";

const said = (text: string, around = beside()): string | undefined => {
  const { source, offset } = cursorIn(text);
  return hover(source, offset, around, () => null)?.text;
};

describe("a hover", () => {
  it("prints the page of a block", () => {
    const text = said("model A {\n  mask ran<|>dom(ratio: 75%)\n}") ?? "";
    expect(text).toMatch(/^### mask\/random\n\n/);
    expect(text).toContain("#### Parameters");
    expect(text).toMatch(/Source: .+\.$/);
  });

  it("prints range, default and options of a parameter", () => {
    expect(said("model A {\n  encoder vit(de<|>pth: 2)\n}")).toMatch(/^`depth` of `vit`: whole number, 1 to /);
    expect(said("model A {\n  loss mse(o<|>n: hidden)\n}")).toMatch(
      /default `hidden`\n\n.+\n\n- `hidden`: .+\n- `visible`: /,
    );
    expect(said("recipe R {\n  bat<|>ch 64\n}")).toMatch(
      /^`batch` of a recipe: whole number, at least 1; default `256`/,
    );
    expect(said("model B extends A {\n  set encoder.de<|>pth: 2\n}\nmodel A {\n  encoder vit(depth: 1)\n}")).toMatch(
      /^`depth` of `vit`/,
    );
  });

  it("explains slots, keywords, options and units", () => {
    expect(said("model A {\n  ma<|>sk random\n}")).toMatch(/^`mask`: Which patches are hidden\.\n\n/);
    expect(said("model A ext<|>ends B {\n}")).toMatch(/^`extends`: /);
    expect(said("model A {\n  loss mse(on: hid<|>den)\n}")).toMatch(/^`hidden`: /);
    expect(said("recipe R {\n  schedule cosine(warmup: 40 epo<|>chs)\n}")).toBe("`epochs`: Passes over the data.");
  });

  it("shows what a name stands for, also a new one", () => {
    const text = "/// The small one.\nmodel A {\n}\nmodel B extends A {\n}\n";
    expect(said(text.replace("extends A", "extends <|>A"))).toBe("```mae\nmodel A\n```\n\nThe small one.");
    expect(said(text.replace("model B", "model <|>B"))).toBe("```mae\nmodel B extends A\n```");
    expect(said("model A {\n  let r = 75%\n  mask random(ratio: <|>r)\n}")).toBe("```mae\nlet r = 75%\n```");
  });

  it("says nothing where nothing is known", () => {
    expect(said("model A {\n  mask no<|>thing\n}")).toBeUndefined();
    expect(said("model A {\n  mask random<|>\n}")).toBeDefined();
    expect(said("<|>")).toBeUndefined();
    expect(said("// model<|> A")).toBeUndefined();
  });

  it("has the cost of a model that is sound", () => {
    const { source, offset } = cursorIn("model A<|> {\n}");
    const tokens = { total: 16, visible: 4, hidden: 12 };
    const cost = {
      parameters: 214577,
      trainable: 214577,
      following: 0,
      tokens,
      flops: { forward: 2.5e9, training: 0 },
    };
    expect(hover(source, offset, beside(), () => cost)?.text).toMatch(
      /214,577 parameters; 16 tokens, 4 of them visible; 2\.50 GFLOP for an image\.$/,
    );
  });
});

describe("a definition", () => {
  const target = (text: string, around = beside()): string | null => {
    const { source, offset } = cursorIn(text);
    const span = definition(source, offset, around);
    return span && `${span.source.path}: ${span.source.text.slice(span.start, span.end)}`;
  };

  it("is the declaration, the `let` or the stage of a name", () => {
    expect(target("model A {\n}\nmodel B extends <|>A {\n}")).toBe("model.mae: A");
    expect(target("model A {\n  let r = 75%\n  mask random(ratio: <|>r)\n}")).toBe("model.mae: r");
    expect(target("pipeline P {\n  stage one = R of A\n  stage two = R of A from <|>one.encoder\n}")).toBe(
      "model.mae: one",
    );
  });

  it("is in the file of an import", () => {
    const around = beside({ "base.mae": "model Base {\n}\n" });
    const text = 'import { Base as B } from "./base.mae"\nmodel C extends B {\n}\n';
    expect(target(text.replace("extends B", "extends <|>B"), around)).toBe("base.mae: Base");
    expect(target(text.replace("./base", "./ba<|>se"), around)).toBe("base.mae: ");
  });

  it("is nothing for words of ours", () => {
    expect(target("model A {\n  mask ran<|>dom\n}")).toBeNull();
  });
});

it("says something of every word of an example", () => {
  const silent: string[] = [];
  for (const source of examples.filter(({ path }) => path.startsWith("digits-r-mae") || path === "mask-study.mae")) {
    for (const match of source.text
      .replace(/\/\/.*|"[^"]*"/g, (text) => " ".repeat(text.length))
      .matchAll(/[A-Za-z_]\w*/g)) {
      if (!hover(source, match.index, besideExamples, () => null)) silent.push(`${source.path}: ${match[0]}`);
    }
  }
  // Names of something new.
  expect(silent).toEqual(["digits-r-mae.mae: region", "mask-study.mae: r"]);
});

/** Renaming: every place of a name in all files that know it, and nothing else; what is no name of a spec's stays. */

import { describe, expect, it } from "vitest";
import { rename } from "../../editor/index.js";
import { beside, cursorIn } from "./cursor.js";

const files = {
  "base.mae": `edition 2026

/// Digits, not Tiny.
model Digits {
  input   image(size: 28x28, channels: 1)
  tokens  patch(size: 4x4)
  mask    random(ratio: r)
  encoder vit(depth: 2, width: 64, heads: 2)
  decoder vit(depth: 1, width: 32, heads: 2)
  target  pixels
  loss    mse(on: hidden)
  let r = 75%
}

recipe Train for Digits {
  data      mnist("data")
  batch     64
  epochs    1
  optimizer adamw(lr: 1e-3)
  schedule  constant
}
`,
  "more.mae": `edition 2026

import { Digits, Train as Fit } from "./base.mae"

model Two extends Digits {
  add target region: regions(source: felzenszwalb(scale: 100), count: 4) {
    encoder vit(depth: 1, width: 32, heads: 2)
    decoder region_query(depth: 1, width: 32, heads: 2)
    loss    bce(on: hidden)
  }
}

model Three extends Two {
  set target.region.count: 2
  set target.region.decoder.depth: 2
}

model Four extends Two {
  remove target region
}

recipe FitTwo extends Fit for Two {}

variants Study of Two {
  let r = 50% | 75%
  mask = random(ratio: r) | block(ratio: r)
  target.region.count = 2 | 4
  skip when mask is block and r > 60%
}

pipeline All {
  stage one = Fit of Digits
  stage two = FitTwo of Two from one.encoder, one.decoder fresh target.region
  evaluate two: knn(k: 5)
}
`,
} as const;

/** All texts after a rename, or why there is none. */
function renamed(
  path: keyof typeof files,
  at: string,
  newName: string,
  texts: Readonly<Record<string, string>> = files,
) {
  const plain = at.replace("<|>", "");
  const marked = (texts[path] as string).replace(plain, at);
  const { source, offset } = cursorIn(marked, path);
  const specs = Object.entries(texts).map(([name, text]) => ({ path: name, text }));
  const found = rename(source, offset, newName, specs, beside(texts));
  if (!found.ok) return found.why;
  return Object.fromEntries(
    specs.map(({ path: name, text }) => {
      const here = found.spans.filter((span) => span.source.path === name).sort((a, b) => b.start - a.start);
      return [name, here.reduce((all, { start, end }) => all.slice(0, start) + newName + all.slice(end), text)];
    }),
  );
}

describe("a rename", () => {
  it("follows a declaration into every file that imports it, from wherever it is asked", () => {
    const wanted = {
      "base.mae": files["base.mae"].replace("model Digits", "model Numbers").replace("for Digits", "for Numbers"),
      "more.mae": files["more.mae"]
        .replace("{ Digits,", "{ Numbers,")
        .replace("extends Digits", "extends Numbers")
        .replace("of Digits", "of Numbers"),
    };
    expect(renamed("base.mae", "model Dig<|>its", "Numbers")).toEqual(wanted);
    expect(renamed("base.mae", "for Digits<|>", "Numbers")).toEqual(wanted);
    expect(renamed("more.mae", "import { <|>Digits", "Numbers")).toEqual(wanted);
    expect(renamed("more.mae", "one = Fit of D<|>igits", "Numbers")).toEqual(wanted);
  });

  it("tells an alias from what it stands for", () => {
    const alias = renamed("more.mae", "as F<|>it", "Go") as Record<string, string>;
    expect(alias["base.mae"]).toBe(files["base.mae"]);
    expect(alias["more.mae"]).toBe(
      files["more.mae"].replace("as Fit", "as Go").replace("extends Fit", "extends Go").replace("= Fit of", "= Go of"),
    );
    const taken = renamed("more.mae", "Tr<|>ain as", "Pretrain") as Record<string, string>;
    expect(taken["base.mae"]).toContain("recipe Pretrain for Digits");
    expect(taken["more.mae"]).toBe(files["more.mae"].replace("Train as Fit", "Pretrain as Fit"));
  });

  it("takes a label in all that extend its model, and in stages of pipelines", () => {
    const wanted = { ...files, "more.mae": files["more.mae"].replaceAll(/\bregion\b/g, "area") };
    expect(renamed("more.mae", "add target re<|>gion", "area")).toEqual(wanted);
    expect(renamed("more.mae", "set target.re<|>gion.count", "area")).toEqual(wanted);
    expect(renamed("more.mae", "fresh target.reg<|>ion", "area")).toEqual(wanted);
    expect(renamed("more.mae", "remove target region<|>", "area")).toEqual(wanted);
  });

  it("keeps a variable to its body and a stage to its pipeline", () => {
    expect(renamed("base.mae", "let <|>r", "share")).toEqual({
      ...files,
      "base.mae": files["base.mae"].replace("ratio: r)", "ratio: share)").replace("let r", "let share"),
    });
    const family = renamed("more.mae", "and <|>r >", "share") as Record<string, string>;
    expect(family["base.mae"]).toBe(files["base.mae"]);
    expect(family["more.mae"]?.match(/\bshare\b/g)).toHaveLength(4);
    const stages = renamed("more.mae", "stage o<|>ne", "first") as Record<string, string>;
    expect(stages["more.mae"]).toContain(
      "stage first = Fit of Digits\n  stage two = FitTwo of Two from first.encoder, first.decoder",
    );
  });

  it.each([
    [
      "a keyword",
      "<|>model Digits",
      "X",
      "`model` is a word of the language: only names that specs give can be changed",
    ],
    ["a block", "encoder v<|>it", "X", "`vit` is a block: only names that specs give can be changed"],
    ["a slot", "enc<|>oder vit", "X", "`encoder` is a slot of the language: only names that specs give can be changed"],
    ["a parameter", "ra<|>tio: r", "X", "`ratio` is a parameter of a block: only names that specs give can be changed"],
    [
      "an option",
      "on: hid<|>den",
      "X",
      "`hidden` is an option, or a name that is not known here: only names that specs give can be changed",
    ],
    ["a comment", "Digits, n<|>ot", "X", "there is no name here that a spec gives"],
    ["a number", "depth: 2<|>", "X", "there is no name here that a spec gives"],
    [
      "what is no name",
      "model Di<|>gits",
      "1x",
      "`1x` is no name: a name is made of letters, digits and `_`, and begins with no digit",
    ],
    [
      "nothing",
      "model Di<|>gits",
      "",
      "`` is no name: a name is made of letters, digits and `_`, and begins with no digit",
    ],
    ["a word of the language", "model Di<|>gits", "extends", "`extends` is a word of the language"],
    ["a name of the file", "model Di<|>gits", "Train", "`base.mae` knows something named `Train` already"],
    ["a name of a file that imports it", "model Di<|>gits", "Two", "`more.mae` knows something named `Two` already"],
    ["a word that would mean the variable", "let <|>r", "hidden", "`hidden` is used in `Digits` already"],
  ])("refuses %s", (_, at, newName, why) => {
    expect(renamed("base.mae", at, newName)).toBe(why);
  });

  it("refuses where a file that may use the name cannot be read whole", () => {
    const torn = {
      ...files,
      "more.mae": files["more.mae"].replace("model Three extends Two {", "model Three extends ("),
    };
    expect(renamed("base.mae", "model Di<|>gits", "X", torn)).toMatch(
      /^more\.mae:\d+ cannot be read, so that a name there could be missed: mend it first$/,
    );
    expect(renamed("more.mae", "extends D<|>igits", "X", { "more.mae": files["more.mae"] })).toBe(
      "`Digits` is imported from where it cannot be found",
    );
  });

  it("ends where models extend each other in a circle", () => {
    const circle = {
      "a.mae":
        "model A extends B {\n  add target t: pixels\n}\nmodel B extends A {\n  set target.t.normalize: none\n}\n",
    };
    expect(renamed("a.mae" as never, "target <|>t:", "u", circle)).toEqual({
      "a.mae": circle["a.mae"].replace("t: pixels", "u: pixels").replace("target.t.", "target.u."),
    });
  });
});

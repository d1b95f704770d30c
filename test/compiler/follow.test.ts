/** Following a text while it is written finds what checking it anew finds, and checks what has changed alone. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { registry } from "../../blocks/index.js";
import { analyze, type Followed, follow } from "../../compiler/index.js";
import type { Diagnostic } from "../../grammar/index.js";
import { examples } from "../editor/cursor.js";
import { runs } from "../support/fuzz.js";

const sources = new Map();
const host = { sources, readText: (path: string) => examples.find((one) => one.path === path)?.text ?? null };
const textOf = (path: string): string => host.readText(path) ?? "";

/** Findings in an order that does not tell in which one declarations were checked. */
const sorted = (found: readonly Diagnostic[]): readonly string[] =>
  found.map((one) => JSON.stringify(one, (key, value) => (key === "source" ? value.path : value))).sort();

/** A study with a remark, an error, an ignore and a family in it. */
const study = `${textOf("mae-base.mae")}
model Wide extends MaeBase {
  set decoder.width: 1024
}

model Narrow extends Wide {
  // mae-ignore lint/unused-variable: for later
  let unused = 1
  set encoder.heads: 5
}

recipe Long extends Pretrain for Wide {
  set epochs: 3200
}

variants Study of MaeBase {
  let r = 50% | 75%
  mask = random(ratio: r) | block(ratio: r)
}

pipeline All {
  stage one = Pretrain of MaeBase
  stage two = Long of Wide from one.encoder fresh
}
`;

const texts = [study, textOf("r-mae.mae"), textOf("pipeline.mae")];

const written = fc.constantFrom(
  ...["1", " ", "x", "\n", "\n\n", "}", "{", "(", ")", '"', ",", "//", "/*", "///", ".", ": ", "%"],
  ...["  let a = 1\n", "model New extends MaeBase {\n}\n", "  set encoder.depth: 3\n", "  mask random\n"],
);
const edit = fc.record({
  at: fc.double({ min: 0, max: 1, noNaN: true }),
  cut: fc.constantFrom(0, 0, 0, 1, 1, 5, 40),
  insert: fc.option(written, { nil: "" }),
  /** Whether the text is as before again after it. */
  undone: fc.boolean(),
  hurried: fc.boolean(),
});

test("any edits, one after the other", () => {
  const property = fc.property(
    fc.constantFrom(...texts),
    fc.array(edit, { minLength: 3, maxLength: 6 }),
    (text, edits) => {
      let followed: Followed | null = null;
      let now = text;
      for (const { at, cut, insert, undone, hurried } of edits) {
        const offset = Math.floor(at * now.length);
        const next = now.slice(0, offset) + insert + now.slice(offset + cut);
        for (const one of undone ? [next, now] : [next]) {
          const source = { path: "a.mae", text: one };
          // What was left for later is made up for.
          if (hurried) followed = follow(source, host, registry, followed, false);
          if (!followed?.isWhole || !hurried) followed = follow(source, host, registry, followed, true);
          const wanted = analyze({ path: "a.mae", text: one }, host, registry).diagnostics;
          expect(sorted(followed.diagnostics)).toEqual(sorted(wanted));
        }
        if (!undone) now = next;
      }
    },
  );
  fc.assert(property, { numRuns: runs(10) });
});

test("only what has changed is checked, and what stands on it", () => {
  const asked: string[] = [];
  const mask = registry.mask.map((definition) => ({
    ...definition,
    requires: [
      {
        ...(definition.requires ?? [])[0],
        name: "asked",
        at: null,
        doc: "",
        holds: (p: { ratio: number }) => asked.push(`${Math.round(p.ratio * 100)}`) > 0,
        say: () => "",
      },
    ],
  }));
  const blocks = { ...registry, mask } as unknown as typeof registry;
  const body = textOf("mae-base.mae").slice(textOf("mae-base.mae").indexOf("model"));
  const one = (name: string, ratio: number): string =>
    body.replaceAll("MaeBase", name).replaceAll("Pretrain", `Train${name}`).replace("75%", `${ratio}%`);
  const text = `edition 2026\n\n${one("A", 71)}${one("B", 72)}${one("C", 73)}model D extends B {\n}\n`;
  const ask = (now: string, before: Followed | null) => {
    asked.length = 0;
    const followed = follow({ path: "a.mae", text: now }, host, blocks, before, true);
    return { followed, asked: [...new Set(asked)] };
  };
  const first = ask(text, null);
  expect(first.asked).toEqual(["71", "72", "73"]);
  expect(ask(text.replace("73%", "74%"), first.followed).asked).toEqual(["74"]);
  expect(ask(text.replace("71%", "7%"), first.followed).asked).toEqual(["7"]);
  expect(ask(text.replace("model D", "// here\nmodel D"), first.followed).asked).toEqual([]);
  expect(ask(text.replace("B {\n}", "B {\n  set encoder.depth: 3\n}"), first.followed).asked).toEqual(["72"]);
  // A half-written line.
  expect(ask(text.replace("random(ratio: 73%)", "random(ratio: "), first.followed).asked).toEqual([]);
});

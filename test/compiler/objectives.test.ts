/** Several targets and losses of one model: whose weights stand where, what is decoded, what fits together. */

import { describe, expect, test } from "vitest";
import { batchInputs, namedParameters, weightsOf } from "../../blocks/index.js";
import { assemble } from "../../compiler/assemble/assemble.js";
import { createBuilder } from "../../graph/index.js";
import { modelOf, programOfText } from "../support/model.js";

const spec = (lines: string, encoder = "vit(depth: 1, width: 16, heads: 2)"): string => `
edition 2026
model UnderTest {
  input   image(size: 16x16, channels: 1)
  tokens  patch(size: 4x4)
  mask    random(ratio: 75%)
  encoder ${encoder}
  decoder vit(depth: 1, width: 8, heads: 2)
  ${lines}
}`;

const own = "target pixels(normalize: none)";
const labelled = (label: string): string => `target ${label}: pixels(normalize: patch) {
    decoder vit(depth: 1, width: 12, heads: 2)
    loss    l1(weight: 0.5)
  }`;

const namesOf = (lines: string): readonly string[] =>
  [...namedParameters(assemble(modelOf(spec(lines))).parameters)].map(([name]) => name);

/** The weights that the loss reads. */
function weightsRead(lines: string): readonly string[] {
  const program = programOfText(spec(lines));
  const g = createBuilder({ batch: 2 });
  const { total } = program.loss(g, weightsOf(g, program.parameters), batchInputs(g, program));
  const graph = g.finish({ outputs: { total } });
  const read = new Set(graph.nodes.flatMap((node) => node.inputs.map(({ node: made }) => made)));
  return graph.nodes.flatMap((node) =>
    read.has(node) && node.operation === "input" ? [(node.attributes as { readonly name: string }).name] : [],
  );
}

describe("a labelled target", () => {
  test("has the same weights under its label as it would have without", () => {
    const names = namesOf(`${own}\n${labelled("low")}\nloss mse`);
    const under = names.filter((name) => name.startsWith("low.")).map((name) => name.slice("low.".length));
    const alone = namesOf(`${own}\nloss mse`).filter((name) => /^decoder|^mask_token/.test(name));
    expect(under.sort()).toEqual(alone.sort());
  });

  test("may be called like a weight, or like another in another spelling", () => {
    expect(namesOf(`${own}\n${labelled("blocks")}\nloss mse`)).toContain("blocks_2.mask_token");
    const { functions } = assemble(modelOf(spec(`${own}\n${labelled("a_b")}\n${labelled("aB")}\nloss mse`)));
    const names = functions.map(({ name }) => name);
    expect(names).toEqual([...new Set(names)]);
  });

  test("tells its terms by its label", () => {
    const program = programOfText(spec(`${own}\n${labelled("low")}\nloss mse`));
    const g = createBuilder({ batch: 2 });
    const { terms } = program.loss(g, weightsOf(g, program.parameters), batchInputs(g, program));
    expect(Object.keys(terms)).toEqual(["mse", "low.l1"]);
  });
});

describe("a loss on the latent", () => {
  test("decodes nothing", () => {
    const read = weightsRead(`${own}\nloss uniformity`);
    expect(read).toContain("norm.weight");
    expect(read.filter((name) => /^decoder|^mask_token/.test(name))).toEqual([]);
    expect(weightsRead(`${own}\nloss mse\nloss uniformity`)).toContain("decoder_pred.weight");
  });

  test("may stand twice with weights of its own", () => {
    const names = namesOf(`${own}\nloss mse\nloss a: uniformity(on: patches)\nloss b: uniformity(on: patches)`);
    expect(names).toEqual(expect.arrayContaining(["a.fc_norm.weight", "b.fc_norm.weight"]));
  });

  test("needs the class token that it looks at", () => {
    const bare = "vit(depth: 1, width: 16, heads: 2, class_token: false)";
    expect(() => modelOf(spec(`${own}\nloss uniformity`, bare))).toThrow("loss/uniformity/class-token");
    expect(() => modelOf(spec(`${own}\nloss uniformity(on: patches)`, bare))).not.toThrow();
  });
});

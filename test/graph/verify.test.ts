/** What `verify` finds in graphs that nobody could have recorded, and that it finds nothing in others. */

import { describe, expect, test } from "vitest";
import { createBuilder, type Graph, type Node, printGraph, simplify, type Tensor, verify } from "../../graph/index.js";
import { tiny, training } from "./vision.js";

function example(): Graph {
  const g = createBuilder({ batch: 2 });
  const x = g.input("x", ["B", 3]);
  const w = g.state("w", [3]);
  const [y, mean] = g.scope("encode", () => g.layerNorm(g.mul(x, 2), w, w, 1e-6));
  const kernel = g.constant(
    Float32Array.from({ length: 8 }, (_, i) => i / 3),
    [8],
  );
  const z = g.slice(kernel, [1], [3]);
  return g.finish({ outputs: { y, mean }, updates: { w: g.add(w, z) } });
}

test("a graph is printed with a node on each line", () => {
  expect(printGraph(example())).toBe(`%0 = input "x" : float32 [2, 3]
%1 = state "w" : float32 [3]
%2 = constant 2 : float32 []  # encode
%3 = mul %0 %2 : float32 [2, 3]  # encode
%4 %4.1 %4.2 = layerNorm %3 %1 %1 { epsilon: 0.000001 } : float32 [2, 3], float32 [2, 1], float32 [2, 1]  # encode
%5 = constant [0, 0.333333, 0.666667, 1, 1.33333, 1.66667, ... 8 values] : float32 [8]
%6 = slice %5 { begin: [1], size: [3] } : float32 [3]
%7 = add %1 %6 : float32 [3]
output "y" = %4
output "mean" = %4.1
update "w" = %7
`);
});

describe("verify", () => {
  test("finds nothing in graphs of the builder and of simplify", () => {
    expect(verify(example())).toEqual([]);
    expect(verify(simplify(training(tiny)))).toEqual([]);
  });

  /** The example with one node changed. */
  const changed = (operation: string, change: (node: Node) => Partial<Node>): Graph => {
    const graph = example();
    return {
      ...graph,
      nodes: graph.nodes.map((node) => (node.operation === operation ? { ...node, ...change(node) } : node)),
    };
  };

  test("inputs that come later", () => {
    const { nodes, ...rest } = example();
    expect(verify({ ...rest, nodes: nodes.toReversed() })).toContain("node 7 (add): uses node 1 before it is made");
  });

  test("ids used twice", () => {
    expect(verify(changed("add", () => ({ id: 3 })))).toContain("node 3 (add): its id is taken");
  });

  test("forms that the rules do not give", () => {
    const graph = changed("mul", (node) => ({ outputs: [{ ...(node.outputs[0] as Tensor), shape: [2, 4] }] }));
    expect(verify(graph)).toContain("node 3 (mul): output 0 is float32 [2, 4], the rule says float32 [2, 3]");
    expect(verify(graph)).toContain("node 3 (mul): output 0 points elsewhere");
    const narrow = changed("slice", () => ({ attributes: { begin: [6], size: [3] } }));
    expect(verify(narrow).join()).toContain("a part inside the tensor, not [3] from [6]");
  });

  test("missing outputs", () => {
    expect(verify(changed("layerNorm", (node) => ({ outputs: node.outputs.slice(0, 1) })))).toContain(
      "node 4 (layerNorm): has 1 outputs",
    );
  });

  test("names and results that do not fit", () => {
    const graph = example();
    const x = graph.feeds.get("x") as Tensor;
    const stranger = createBuilder({ batch: 1 }).input("s", [3]);
    expect(verify({ ...graph, state: new Map() })).toContain(
      "node 1 (input): is declared neither as feed nor as state",
    );
    expect(verify({ ...graph, feeds: new Map([...graph.feeds, ["v", x]]) })).toContain(
      '"v" is not an input of that name in the graph',
    );
    expect(verify({ ...graph, state: new Map([...graph.state, ["x", x]]) })).toContain('"x" is both feed and state');
    expect(verify({ ...graph, updates: new Map([["w", x]]) })).toContain('update "w" fits no state');
    expect(verify({ ...graph, outputs: new Map([["s", stranger]]) })).toContain('result "s" is made by no node');
  });
});

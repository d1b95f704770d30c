/** What each pass over the graph brings: the graph of a training step with all of them, and with all but one. */

import { registry } from "../blocks/index.js";
import { cost, type Graph, invariant, passes, peakMemory, simplify } from "../graph/index.js";
import { trainingStep } from "../runtime/index.js";
import { type Contested, programFor } from "./sizes.js";

const values = { lr: { value: 1e-4, per: null }, betas: [0.9, 0.95], weight_decay: 0.05, epsilon: 1e-8 };

/** A size's training step as it was recorded. */
function tracedStep(size: Contested): Graph {
  const definition = registry.optimizer.find(({ name }) => name === "adamw");
  invariant(definition !== undefined, "there is an optimizer adamw");
  const traced: Graph[] = [];
  const settings = { batch: size.batch, clip: null, optimizer: { definition, values } };
  trainingStep(programFor(size), settings, (_, graph) => void traced.push(graph));
  const [step] = traced;
  invariant(step !== undefined, "a step has a phase");
  return step;
}

function row(size: Contested, what: string, graph: Graph): string {
  const { bytes } = peakMemory(graph);
  return `| ${size.name} | ${what} | ${graph.nodes.length} | ${(cost(graph).matmul / 1e9).toFixed(1)} | ${(bytes / 1e6).toFixed(0)} |`;
}

/** A Markdown table. Memory is what the graph needs in the order of its nodes, without the runtime's own. */
export function passTable(sizes: readonly Contested[]): string {
  const names = [...new Set(passes.map(({ name }) => name))];
  const rows = sizes.flatMap((size) => {
    const traced = tracedStep(size);
    const without = (name: string): Graph =>
      simplify(
        traced,
        passes.filter((pass) => pass.name !== name),
      );
    return [
      row(size, "as traced", traced),
      ...names.map((name) => row(size, `all but ${name}`, without(name))),
      row(size, "all", simplify(traced)),
    ];
  });
  const head = ["| size | passes | nodes | matrix products, GFLOP | memory, MB |", "| --- | --- | --- | --- | --- |"];
  return `${[...head, ...rows].join("\n")}\n`;
}

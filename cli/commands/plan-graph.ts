/** `mae plan --graph`: the graphs of a training step, as they are traced and as each pass leaves them. */

import {
  assemble,
  lossGraph,
  type Model,
  programOf,
  type Recipe,
  settingsOf,
  trainingOf,
} from "../../compiler/index.js";
import { type Graph, passes, peakMemory, printGraph, simplify } from "../../graph/index.js";
import { checkMicroBatch, type MemoryFlags, recomputeOf } from "../machine/micro-batches.js";
import { usageFailure } from "../words/failure.js";
import { didYouMean } from "../words/nearest.js";
import { type Colors, grouped, print, printJson, stdoutColors } from "../words/terminal.js";

export interface GraphOptions extends MemoryFlags {
  readonly json?: boolean;
  readonly batch?: number;
  /** The stage to print; true: none, only what stages there are. */
  readonly graph: string | true;
}

/** A graph after a pass that changed it. */
interface Stage {
  readonly name: string;
  readonly before: number;
  readonly graph: Graph;
}

/** A graph that is run at each step, on its way from the trace. */
interface Phase {
  readonly name: string;
  readonly stages: readonly Stage[];
}

/** The stage before any pass, and another name for the last one. */
const [traced, last] = ["traced", "simplified"];

/** Without a recipe there is no optimizer: the graph is the loss. */
export async function planGraph(model: Model, recipe: Recipe | null, options: GraphOptions): Promise<void> {
  const wanted = options.graph === true ? null : options.graph;
  if (wanted !== null) requireStage(wanted);
  const phases = (await tracedPhases(model, recipe, options)).map(stagesOf);
  if (options.json) {
    const document = { format_version: "1.0", model: model.name, recipe: recipe?.name ?? null };
    printJson({ ...document, phases: phases.map((phase) => phaseDocument(phase, wanted)) });
    return;
  }
  const sections = phases.map((phase) =>
    wanted === null ? table(phase, stdoutColors()) : `// phase ${phase.name}, ${wanted}\n${printed(phase, wanted)}`,
  );
  print(sections.join("\n"));
}

function requireStage(name: string): void {
  const known = [traced, ...new Set(passes.map((pass) => pass.name)), last];
  if (known.includes(name)) return;
  throw usageFailure(`there is no pass "${name}"`, {
    help: didYouMean(name, known) ?? `there are ${known.join(", ")}`,
  });
}

interface Traced {
  readonly name: string;
  readonly graph: Graph;
}

async function tracedPhases(model: Model, recipe: Recipe | null, options: GraphOptions): Promise<readonly Traced[]> {
  const program = programOf(assemble(model));
  const batch = options.batch ?? (recipe ? settingsOf(recipe).batch : 1);
  if (recipe === null) return [{ name: "loss", graph: lossGraph(program, batch) }];
  const { microBatch } = options;
  checkMicroBatch(batch, microBatch);
  const recompute = recomputeOf(options);
  const training = { ...trainingOf(recipe), batch, recompute, ...(microBatch === undefined ? {} : { microBatch }) };
  const { trainingStep } = await import("../../runtime/index.js");
  const found: Traced[] = [];
  trainingStep(program, training, (name, graph) => found.push({ name, graph }));
  return found;
}

function stagesOf({ name, graph }: Traced): Phase {
  const stages: Stage[] = [{ name: traced, before: graph.nodes.length, graph }];
  simplify(graph, passes, (pass, after) => {
    stages.push({ name: pass.name, before: (stages.at(-1) as Stage).graph.nodes.length, graph: after });
  });
  return { name, stages };
}

/** What a pass left last: all passes are repeated until none of them changes anything, so one may have left several graphs. */
function printed({ stages }: Phase, wanted: string): string {
  const stage = wanted === last ? stages.at(-1) : stages.findLast(({ name }) => name === wanted);
  return stage ? printGraph(stage.graph) : `// ${wanted} found nothing to do\n`;
}

/** Nodes of a trace by what they are for, as their outermost scope tells. */
function purposes(graph: Graph): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { scope, operation } of graph.nodes) {
    const [outer = ""] = scope.split("/");
    const made = scope.startsWith("gradient/again/") ? "computed again" : (known[outer] ?? "forward");
    const purpose = operation === "input" ? "inputs" : made;
    counts.set(purpose, (counts.get(purpose) ?? 0) + 1);
  }
  return counts;
}

const known: Readonly<Record<string, string>> = {
  gradient: "gradients",
  balance: "balance",
  clip: "clipping",
  sum: "sums",
  update: "optimizer",
};

function table({ name, stages }: Phase, colors: Colors): string {
  const [first] = stages as readonly [Stage];
  const end = (stages.at(-1) as Stage).graph;
  const { bytes, node } = peakMemory(end);
  const of = [...purposes(first.graph)].map(([purpose, count]) => `${grouped(count)} ${purpose}`);
  const rows = stages.slice(1).map(({ name: pass, before, graph }) => [pass, before, graph.nodes.length] as const);
  const where = node === undefined ? "" : `: ${node.operation}${node.scope === "" ? "" : ` in ${node.scope}`}`;
  const lines = [
    `  ${traced.padEnd(width)}  ${grouped(first.graph.nodes.length)} nodes: ${of.join(", ")}`,
    ...rows.map(([pass, before, after]) => `  ${pass.padEnd(width)}  ${grouped(before)} -> ${grouped(after)}`),
    `  ${"memory".padEnd(width)}  ${(bytes / 2 ** 20).toFixed(1)} MiB at its fullest${where}`,
  ];
  return `${colors.bold(`phase ${name}`)}\n${lines.join("\n")}\n`;
}

const width = Math.max(...[traced, ...passes.map(({ name }) => name)].map(({ length }) => length));

function phaseDocument(phase: Phase, wanted: string | null) {
  const { name, stages } = phase;
  const [first] = stages as readonly [Stage];
  const { bytes, node } = peakMemory((stages.at(-1) as Stage).graph);
  return {
    phase: name,
    nodes: first.before,
    purposes: Object.fromEntries(
      [...purposes(first.graph)].map(([purpose, count]) => [purpose.replaceAll(" ", "_"), count]),
    ),
    passes: stages
      .slice(1)
      .map((stage) => ({ pass: stage.name, before: stage.before, after: stage.graph.nodes.length })),
    peak: { bytes, operation: node?.operation ?? null, scope: node?.scope ?? null },
    ...(wanted === null ? {} : { after: wanted, graph: printed(phase, wanted) }),
  };
}

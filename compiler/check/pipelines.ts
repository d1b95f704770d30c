/** A pipeline of stages: its names are checked; running it is for a later version. */

import type { Path, PipelineDeclaration, PipelineEvaluation, Stage } from "../../grammar/index.js";
import { modelSlots, recipeSlots } from "../slots.js";
import { readBlock } from "./blocks.js";
import type { Body } from "./draft.js";
import type { Checking } from "./models.js";
import { find, type Names } from "./names.js";
import { named, suggestion } from "./nearest.js";
import { fail, finding } from "./report.js";
import { emptyScope } from "./scope.js";

export function checkPipeline(declaration: PipelineDeclaration, names: Names, checking: Checking): void {
  const { report } = checking;
  const stages = new Map<string, Stage>();
  const body: Body = {
    ...checking,
    owner: "recipe",
    within: null,
    rules: recipeSlots,
    scope: emptyScope,
    name: declaration.name?.name ?? "",
  };
  for (const entry of declaration.entries) {
    if (entry.kind === "stage") checkStage(entry, stages, names, body);
  }
  for (const entry of declaration.entries) {
    if (entry.kind === "evaluation") checkEvaluation(entry, stages, body);
  }
  report(
    finding(
      "info",
      "check/not-yet-available",
      declaration.name?.span ?? declaration.span,
      "pipelines are checked, but this version cannot run them yet",
      {
        help: "train each stage by itself",
      },
    ),
  );
}

function checkStage(stage: Stage, stages: Map<string, Stage>, names: Names, body: Body): void {
  const { report } = body;
  if (stage.recipe) find(stage.recipe, "recipe", names, report);
  if (stage.model) find(stage.model, "model", names, report);
  for (const path of stage.from) checkFrom(path, stages, body);
  for (const path of stage.fresh) checkPart(path, 0, body);
  const other = stages.get(stage.name.name);
  if (other) {
    fail(report, "check/duplicate-declaration", stage.name.span, `there is already a stage \`${stage.name.name}\``, {
      reason: "Later stages start from a stage by its name.",
      help: "give one of the two another name",
      related: [{ span: other.name.span, message: "the other one" }],
    });
  } else stages.set(stage.name.name, stage);
}

/** `mae.encoder`: an earlier stage and one of its parts. */
function checkFrom(path: Path, stages: ReadonlyMap<string, Stage>, body: Body): void {
  const [stage] = path.parts;
  if (!stage) return;
  if (!stages.has(stage.name)) {
    const earlier = [...stages.keys()];
    fail(body.report, "check/unknown-stage", stage.span, `no stage before this one is named \`${stage.name}\``, {
      ...(earlier.length === 0
        ? { help: "the first stage starts from nothing" }
        : suggestion(stage.name, stage.span, earlier, "earlier stages")),
    });
    return;
  }
  checkPart(path, 1, body);
}

function checkPart(path: Path, index: number, { report }: Body): void {
  const part = path.parts[index];
  const slots = modelSlots.map((rule) => rule.slot);
  if (!part || slots.includes(part.name)) return;
  fail(report, "check/unknown-slot", part.span, `a model has no part \`${part.name}\``, {
    reason: "The parts of a model are named by its slots.",
    ...suggestion(part.name, part.span, slots, "slots of a model"),
  });
}

function checkEvaluation(entry: PipelineEvaluation, stages: ReadonlyMap<string, Stage>, body: Body): void {
  const { name, span } = entry.stage;
  if (!stages.has(name)) {
    const known = [...stages.keys()];
    fail(body.report, "check/unknown-stage", span, `there is no stage \`${name}\``, {
      ...(known.length === 0
        ? { help: `declare it: ${named(["stage name = Recipe of Model"])}` }
        : suggestion(name, span, known, "stages")),
    });
  }
  const [rule] = recipeSlots.filter((candidate) => candidate.every);
  if (rule) for (const probe of entry.probes) readBlock(rule.kind, rule.slot, probe, body);
}

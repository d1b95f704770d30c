/** The plan of a model and its training as a table. */

import { flopText, type Plan, plan, settingsOf } from "../../compiler/index.js";
import { escaped } from "../mae-text.js";
import type { Subject } from "./project.js";

const grouped = (value: number): string => value.toLocaleString("en");

const bytes = (value: number): string =>
  value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(2)} GiB` : `${(value / 2 ** 20).toFixed(1)} MiB`;

function tokensText({ total, visible, hidden, fewest }: Plan["tokens"]): string {
  const seen =
    fewest === undefined ? `${grouped(visible)} visible` : `${grouped(fewest)} to ${grouped(visible)} visible`;
  return `${grouped(total)}: ${seen}, ${grouped(hidden)} hidden`;
}

export function planHtml({ model, recipe }: Subject): string {
  const found = plan(model, recipe ? { recipe, batch: settingsOf(recipe).batch } : {});
  const { memory, learningRate, steps } = found;
  const rows: (readonly [string, string])[] = [
    ["tokens", tokensText(found.tokens)],
    ["parameters", grouped(found.parameters)],
    ...found.parts.map(({ name, parameters }) => [`· ${name}`, grouped(parameters)] as const),
    [`forward, for one ${found.sample}`, flopText(found.flops.forward)],
    [`training, for one ${found.sample}`, flopText(found.flops.training)],
    [`memory of a step of ${grouped(memory.batch)}`, bytes(memory.total)],
    ["· weights", bytes(memory.weights)],
    ["· optimizer", bytes(memory.moments)],
    ["· activations and gradients", bytes(memory.working)],
    ...(learningRate ? [["learning rate", learningRate.arithmetic] as const] : []),
    ...(steps?.total ? [["steps", grouped(steps.total)] as const] : []),
  ];
  const body = rows.map(([name, value]) => `<tr><th scope="row">${escaped(name)}</th><td>${escaped(value)}</td></tr>`);
  const title = recipe ? `${model.name}, trained by ${recipe.name}` : model.name;
  return `<table class="plan"><caption>${escaped(title)}</caption><tbody>${body.join("")}</tbody></table>
<p>Counted by tracing the model, as <code>mae plan</code> does. Memory is that of tensors, without an engine's own.</p>`;
}

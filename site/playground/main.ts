/** The playground: a spec on one side, what the compiler makes of it on the other. Everything runs in this page. */

import { EditorView } from "@codemirror/view";
import { type Analysis, render } from "../../compiler/index.js";
import { positionAt } from "../../grammar/index.js";
import { escaped, maeHtml } from "../mae-text.js";
import { openEditor } from "./editor.js";
import { masksHtml } from "./mask.js";
import { planHtml } from "./plan-table.js";
import { openProject, type Subject, subjectsOf } from "./project.js";

declare const MAE_VERSION: string;

const first = "mae-base.mae";

const element = <E extends HTMLElement>(selector: string): E => {
  const found = document.querySelector<E>(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
};

const [picker, chooser] = [element<HTMLSelectElement>("#example"), element<HTMLSelectElement>("#subject")];
const [verdict, findings, view] = [element("#verdict"), element("#findings"), element("#view")];
const tabs = [...document.querySelectorAll<HTMLButtonElement>("[role=tab]")];

type View = "plan" | "model" | "mask" | "code";

let chosen: View = "plan";
let subjects: readonly Subject[] = [];
let epoch = 0;
/** Counts what is shown, so that what took longer than its successor is not shown. */
let turn = 0;

const examples: Readonly<Record<string, string>> = await (
  await fetch(new URL("examples.json", import.meta.url))
).json();
const project = openProject(examples);
const nameInAddress = (): string => decodeURIComponent(location.hash.slice(1));
const start = Object.hasOwn(examples, nameInAddress()) ? nameInAddress() : first;
for (const name of Object.keys(examples)) picker.add(new Option(name, name, false, name === start));
const editor: EditorView = openEditor(element("#editor"), examples[start] ?? "", project, changed);

/** What examples say of themselves stands above, for those who scroll. */
function showSpec(): void {
  const at = Math.max(0, editor.state.doc.toString().search(/^edition/m));
  editor.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: "start", yMargin: 0 }) });
}
showSpec();

function open(name: string): void {
  const insert = examples[name];
  if (insert === undefined) return;
  picker.value = name;
  editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert } });
  showSpec();
}

picker.addEventListener("change", () => {
  history.replaceState(null, "", `#${picker.value}`);
  open(picker.value);
});
addEventListener("hashchange", () => open(nameInAddress()));
chooser.addEventListener("change", show);
for (const tab of tabs) {
  tab.addEventListener("click", () => {
    chosen = tab.dataset.view as View;
    for (const one of tabs) one.setAttribute("aria-selected", String(one === tab));
    void show();
  });
}
view.addEventListener("click", ({ target }) => {
  if (!(target instanceof HTMLElement) || target.id !== "again") return;
  epoch++;
  void show();
});

function changed(_: string, analysis: Analysis): void {
  list(analysis);
  const before = chooser.value;
  subjects = subjectsOf(analysis);
  chooser.replaceChildren(
    ...subjects.map(({ name, recipe }) => new Option(recipe ? `recipe ${name}` : `model ${name}`, name)),
  );
  if (subjects.some(({ name }) => name === before)) chooser.value = before;
  void show();
}

/** A condition of a block is told of on the block's page. */
const pageOf = (code: string): string => {
  const [kind, name, condition] = code.split("/");
  return condition === undefined ? `spec/diagnostics/${kind}/${name}.html` : `spec/blocks/${kind}/${name}.html`;
};

const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

function list({ diagnostics, file }: Analysis): void {
  const errors = diagnostics.filter(({ severity }) => severity === "error").length;
  const others = diagnostics.length - errors;
  verdict.textContent =
    diagnostics.length === 0 ? "sound" : `${counted(errors, "error")}, ${counted(others, "remark")}`;
  verdict.className = errors > 0 ? "bad" : "good";
  findings.replaceChildren(
    ...diagnostics.map(({ code, severity, message, reason, help, span }) => {
      const item = document.createElement("li");
      item.className = severity;
      const { line, column } = positionAt(span.source, span.start);
      const where = span.source === file.source ? `${line}:${column}` : `${span.source.path}:${line}:${column}`;
      const more = [reason, help].filter((text) => text !== undefined).map((text) => `<p>${escaped(text)}</p>`);
      item.innerHTML = `<p><button type="button">${escaped(where)}</button> <strong>${escaped(message)}</strong> <a href="${pageOf(code)}"><code>${escaped(code)}</code></a></p>${more.join("")}`;
      item.querySelector("button")?.addEventListener("click", () => {
        if (span.source !== file.source) return;
        editor.dispatch({ selection: { anchor: span.start, head: span.end }, scrollIntoView: true });
        editor.focus();
      });
      return item;
    }),
  );
}

/** What the chosen tab says of the chosen subject. */
async function show(): Promise<void> {
  turn++;
  const mine = turn;
  const subject = subjects.find(({ name }) => name === chooser.value);
  view.classList.toggle("stale", !subject);
  if (!subject) {
    view.innerHTML = "<p>No model here is without a mistake.</p>";
    return;
  }
  const html =
    chosen === "code"
      ? await (await import("./code.js")).codeHtml(subject.model, MAE_VERSION)
      : htmlOf(chosen, subject);
  if (mine === turn) view.innerHTML = html;
}

function htmlOf(which: Exclude<View, "code">, subject: Subject): string {
  if (which === "plan") return planHtml(subject);
  if (which === "mask") return masksHtml(subject.model, epoch);
  const { model, recipe } = subject;
  return `<pre class="code"><code>${maeHtml(render(model, recipe, { origin: true }))}</code></pre>`;
}

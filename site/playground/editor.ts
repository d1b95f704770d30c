/** The editor: CodeMirror with what `mae lsp` gives other editors: colours, findings with fixes, completion, explanations, hints. */

import { autocompletion, type CompletionResult, completionKeymap, snippet } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching } from "@codemirror/language";
import { linter, lintGutter, lintKeymap, type Diagnostic as Mark } from "@codemirror/lint";
import { EditorState, type Extension, RangeSetBuilder } from "@codemirror/state";
import {
  Decoration,
  type DecorationSet,
  drawSelection,
  EditorView,
  highlightActiveLine,
  hoverTooltip,
  keymap,
  lineNumbers,
  ViewPlugin,
  type ViewUpdate,
  WidgetType,
} from "@codemirror/view";
import type { Analysis } from "../../compiler/index.js";
import { costOf } from "../../compiler/index.js";
import { complete, hints, hover, semanticTokens } from "../../editor/browser.js";
import { type Diagnostic, parse } from "../../grammar/index.js";
import { written } from "../markdown.js";
import type { Project } from "./project.js";

/** What has become of the text. */
export type Changed = (text: string, analysis: Analysis) => void;

export function openEditor(parent: Element, text: string, project: Project, changed: Changed): EditorView {
  const analysed = new WeakMap<EditorState["doc"], Analysis>();
  /** Findings, explanations and hints of one text ask for one analysis. */
  const analysisOf = ({ doc }: EditorState): Analysis => {
    const before = analysed.get(doc);
    if (before) return before;
    const analysis = project.check(doc.toString());
    analysed.set(doc, analysis);
    return analysis;
  };
  const findings = linter(
    ({ state }) => {
      const analysis = analysisOf(state);
      changed(state.doc.toString(), analysis);
      return analysis.diagnostics.flatMap((one) => markOf(one, analysis));
    },
    { delay: 150 },
  );
  const extensions: Extension[] = [
    lineNumbers(),
    lintGutter(),
    history(),
    drawSelection(),
    bracketMatching(),
    highlightActiveLine(),
    EditorView.lineWrapping,
    EditorView.contentAttributes.of({ "aria-label": "spec", spellcheck: "false" }),
    keymap.of([...completionKeymap, ...defaultKeymap, ...historyKeymap, ...lintKeymap, indentWithTab]),
    colours(project),
    findings,
    autocompletion({ override: [({ state, pos, explicit }) => completions(state, pos, explicit, project)] }),
    explanations(project, analysisOf),
    derived(analysisOf),
  ];
  return new EditorView({ parent, state: EditorState.create({ doc: text, extensions }) });
}

/** A finding of this text, with its fix; what stands in another file is listed below the editor alone. */
function markOf({ span, severity, code, message, help, fix }: Diagnostic, { file }: Analysis): readonly Mark[] {
  if (span.source !== file.source) return [];
  const words = [message, help].filter(Boolean).join("\n");
  const own = fix?.edits.every((edit) => edit.span.source === file.source) ? fix : undefined;
  const actions = own && [
    {
      name: own.title.replaceAll("`", ""),
      apply: (view: EditorView) =>
        view.dispatch({
          changes: own.edits.map((edit) => ({ from: edit.span.start, to: edit.span.end, insert: edit.text })),
        }),
    },
  ];
  return [{ from: span.start, to: span.end, severity, source: code, message: words, ...(actions ? { actions } : {}) }];
}

function colours(project: Project): Extension {
  const decorated = ({ state }: EditorView): DecorationSet => {
    const source = project.source(state.doc.toString());
    const builder = new RangeSetBuilder<Decoration>();
    for (const { kind, span } of semanticTokens(source, { ...project.around, file: parse(source).file })) {
      builder.add(span.start, span.end, Decoration.mark({ class: `mae-${kind}` }));
    }
    return builder.finish();
  };
  return redrawn(decorated, ({ docChanged }) => docChanged);
}

/** Decorations that are computed again where an update asks for it. */
const redrawn = (
  decorated: (view: EditorView) => DecorationSet,
  isNeeded: (update: ViewUpdate) => boolean,
): Extension =>
  ViewPlugin.fromClass(
    class {
      decorations: DecorationSet;
      constructor(view: EditorView) {
        this.decorations = decorated(view);
      }
      update(update: ViewUpdate): void {
        if (isNeeded(update)) this.decorations = decorated(update.view);
      }
    },
    { decorations: (plugin) => plugin.decorations },
  );

function completions(state: EditorState, pos: number, explicit: boolean, project: Project): CompletionResult | null {
  const before = state.sliceDoc(Math.max(0, pos - 1), pos);
  if (!explicit && !/[\w:(.]/.test(before)) return null;
  const found = complete(project.source(state.doc.toString()), pos, project.around);
  const [first] = found;
  if (!first) return null;
  return {
    from: first.span.start,
    options: found.map((one, i) => ({
      label: one.name,
      type: one.kind,
      boost: -i,
      ...(one.detail ? { detail: one.detail.replaceAll("`", "") } : {}),
      info: one.summary.replaceAll("`", ""),
      apply: one.snippet === null ? one.insert : snippet(one.snippet),
    })),
  };
}

const explanations = (project: Project, analysisOf: (state: EditorState) => Analysis): Extension =>
  hoverTooltip(({ state }, pos) => {
    const costIn = (name: string) => {
      const model = analysisOf(state).models.get(name);
      return model ? costOf(model) : null;
    };
    const found = hover(project.source(state.doc.toString()), pos, project.around, costIn);
    if (!found) return null;
    return {
      pos: found.span.start,
      end: found.span.end,
      above: true,
      create() {
        const dom = document.createElement("div");
        dom.className = "explanation";
        dom.innerHTML = written(found.text, (href) => (/^https?:/.test(href) ? href : "#")).html;
        return { dom };
      },
    };
  });

class HintWidget extends WidgetType {
  constructor(
    readonly text: string,
    readonly why: string,
  ) {
    super();
  }
  override eq(other: HintWidget): boolean {
    return other.text === this.text && other.why === this.why;
  }
  toDOM(): HTMLElement {
    const dom = document.createElement("span");
    dom.className = "derived";
    dom.textContent = this.text;
    dom.title = this.why;
    return dom;
  }
}

/** Shapes behind slots, and values that follow from others. */
function derived(analysisOf: (state: EditorState) => Analysis): Extension {
  const decorated = ({ state }: EditorView): DecorationSet => {
    const analysis = analysisOf(state);
    const range = { start: 0, end: state.doc.length };
    const found = hints(analysis.file.source, range, analysis, (compute) => compute());
    const sorted = [...found].sort((a, b) => a.after.end - b.after.end);
    return Decoration.set(
      sorted.map(({ after, text, why }) =>
        Decoration.widget({ widget: new HintWidget(text, why), side: 1 }).range(after.end),
      ),
    );
  };
  return redrawn(decorated, ({ docChanged }) => docChanged);
}

/**
 * What is said of tokens in the wrong order: one function a mistake. Each names what was found, what would have fitted, and
 * offers a change where only one is possible.
 */

import type { Diagnostic, Fix } from "./diagnostic.js";
import type { Span } from "./source.js";

function textOf(span: Span): string {
  return span.source.text.slice(span.start, span.end);
}

function error(code: string, span: Span, message: string, more: Partial<Diagnostic> = {}): Diagnostic {
  return { code: `parse/${code}`, severity: "error", span, message, ...more };
}

function insert(span: Span, at: number, text: string): Fix {
  return { title: `add \`${text.trim()}\``, edits: [{ span: { ...span, start: at, end: at }, text }] };
}

function replace(span: Span, text: string): Fix {
  return { title: `write \`${text}\``, edits: [{ span, text }] };
}

const closing: Readonly<Record<string, string>> = { "(": ")", "[": "]", "{": "}" };
const bracketCodes: Readonly<Record<string, string>> = {
  "(": "unclosed-parenthesis",
  "[": "unclosed-bracket",
  "{": "unclosed-brace",
};

/** A bracket left open: `here` begins what can no longer belong to it, `end` is where the text before that ends. */
export function unclosed(opener: Span, here: Span, end: number): Diagnostic {
  const bracket = textOf(opener);
  const partner = closing[bracket] as string;
  const atEnd = here.start >= opener.source.text.length;
  const message = atEnd ? "the file ends here" : "this no longer belongs to it";
  return error(bracketCodes[bracket] as string, opener, `\`${bracket}\` is never closed`, {
    reason: `What stands between \`${bracket}\` and \`${partner}\` belongs together; the next line was read as if it were closed.`,
    help: `Add \`${partner}\`.`,
    related: [{ span: here, message }],
    ...(bracket === "{" ? {} : { fix: insert(opener, end, partner) }),
  });
}

/** `[a, b)` */
export function mismatched(closer: Span, opener: Span): Diagnostic {
  const wanted = closing[textOf(opener)] as string;
  return error("mismatched-bracket", closer, `\`${textOf(opener)}\` is closed by \`${textOf(closer)}\``, {
    help: `Close it with \`${wanted}\`.`,
    related: [{ span: opener, message: "opened here" }],
    fix: replace(closer, wanted),
  });
}

/** A closing bracket that nothing opened. */
export function stray(span: Span): Diagnostic {
  const bracket = textOf(span);
  return error("unmatched-bracket", span, `\`${bracket}\` closes nothing`, {
    help: "Remove it, or look for a bracket that was closed too early.",
  });
}

export function deepNesting(span: Span, deepest: number): Diagnostic {
  return error("too-deep", span, `brackets stand more than ${deepest} deep here`, {
    reason: "What is inside was not read. No model needs such depth, and a reader could not follow it.",
    help: "Take something out into a `let` or a model of its own.",
  });
}

export function longCondition(span: Span, longest: number): Diagnostic {
  return error("too-deep", span, `the condition has more than ${longest} parts`, {
    reason: "What follows was not read.",
    help: "Write several `skip when` lines: each of them skips.",
  });
}

/** Nothing stands where a value should. `owner` is what the value is for: "`depth:`". */
export function missingValue(span: Span, owner: string): Diagnostic {
  return error("missing-value", span, `${owner} has no value`, {
    help: "Write a value: a number, a size, a word, a string, a list or a block.",
  });
}

/** Something stands where a value should, and can be none. */
export function notAValue(span: Span, owner: string): Diagnostic {
  return error("unexpected-token", span, `expected a value for ${owner}, found \`${textOf(span)}\``, {
    help: "A value is a number, a size, a word, a string, a list or a block.",
  });
}

export function expectedName(span: Span, what: string, example: string): Diagnostic {
  const found = textOf(span);
  const message = found === "" ? `${what} is missing` : `expected ${what}, found \`${found}\``;
  return error("expected-name", span, message, { help: `For example \`${example}\`.` });
}

/** A token that does not fit; `wanted` says what would have. */
export function unexpected(span: Span, wanted: string, more: Partial<Diagnostic> = {}): Diagnostic {
  const found = textOf(span);
  const message = found === "" ? `expected ${wanted} before the line ends` : `expected ${wanted}, found \`${found}\``;
  return error("unexpected-token", span, message, more);
}

/** `depth = 12` where `depth: 12` is meant, or the other way round. */
export function wrongSign(span: Span, sign: ":" | "=", what: string): Diagnostic {
  const message = `${what} is written with \`${sign}\`, not with \`${textOf(span)}\``;
  return error("unexpected-token", span, message, { help: `Write \`${sign}\`.`, fix: replace(span, sign) });
}

/** `encoder: vit(...)` */
export function signAfterSlot(span: Span, slot: string, valueAt: number): Diagnostic {
  const found = textOf(span);
  return error("unexpected-token", span, `no \`${found}\` stands between \`${slot}\` and its block`, {
    help: `Write \`${slot} block(...)\`; with a label, \`${slot} label: block(...)\`.`,
    fix: { title: `remove \`${found}\``, edits: [{ span: { ...span, end: valueAt }, text: " " }] },
  });
}

/** `vit(depth: 12)` with no slot before it. */
export function missingSlot(span: Span): Diagnostic {
  const block = textOf(span);
  return error("missing-slot", span, `\`${block}(...)\` fills no slot`, {
    reason: "A line says which part of the model it describes, then by which block.",
    help: `Begin the line with the slot: \`encoder ${block}(...)\`.`,
  });
}

export function missingComma(span: Span, after: number): Diagnostic {
  return error("missing-comma", span, `a comma is missing before \`${textOf(span)}\``, {
    help: "Arguments and items are separated by commas.",
    fix: insert(span, after, ","),
  });
}

export function missingLineBreak(span: Span): Diagnostic {
  return error("missing-line-break", span, `\`${textOf(span)}\` begins something new and needs a line of its own`, {
    help: "One line, one entry.",
    fix: { title: "break the line", edits: [{ span: { ...span, end: span.start }, text: "\n" }] },
  });
}

/** `model Name` without `{`. */
export function missingBody(span: Span, declaration: string): Diagnostic {
  return error("missing-body", span, `${declaration} has no \`{\``, {
    help: "What belongs to a declaration stands between `{` and `}`.",
  });
}

export function unknownDeclaration(span: Span, nearest: string | null): Diagnostic {
  const found = textOf(span);
  return error("unknown-declaration", span, `\`${found}\` begins no declaration`, {
    reason: "Outside of braces only `edition`, `import`, `model`, `recipe`, `variants` and `pipeline` begin a line.",
    help: nearest ? `Did you mean \`${nearest}\`?` : "Lines of a model or recipe stand between its `{` and `}`.",
    ...(nearest ? { fix: replace(span, nearest) } : {}),
  });
}

export function misplacedEdition(span: Span, first: Span | null): Diagnostic {
  return error("misplaced-edition", span, first ? "the edition is given twice" : "`edition` does not come first", {
    reason: "The edition fixes the meaning of everything that follows.",
    help: first ? "Keep one `edition` line, the first of the file." : "Move it to the first line of the file.",
    ...(first ? { related: [{ span: first, message: "given here" }] } : {}),
  });
}

export function misplacedImport(span: Span, after: Span): Diagnostic {
  return error("misplaced-import", span, "`import` stands after a declaration", {
    reason: "A reader looks for imports at the head of a file.",
    help: "Move it above the first declaration.",
    related: [{ span: after, message: "the first declaration" }],
  });
}

export function strayDoc(span: Span): Diagnostic {
  return {
    code: "parse/stray-doc-comment",
    severity: "warning",
    span,
    message: "`///` documents nothing here",
    reason: "A `///` comment goes to hover, plan, model card and emitted code of the declaration or slot after it.",
    help: "Put it on a line before a declaration or a slot, or write `//`.",
  };
}

/** `=` in a condition. */
export function wrongComparator(span: Span): Diagnostic {
  return error("unexpected-token", span, "a condition compares with `==` or `is`, not with `=`", {
    help: "Write `==`.",
    fix: replace(span, "=="),
  });
}

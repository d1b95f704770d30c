/** What is said of a single wrong token. Each function gives the diagnostic for a span whose text is the mistake. */

import type { Diagnostic, Fix } from "./diagnostic.js";
import type { Span } from "./source.js";

function textOf(span: Span): string {
  return span.source.text.slice(span.start, span.end);
}

function replaceBy(span: Span, text: string, title = `write \`${text}\``): Fix {
  return { title, edits: [{ span, text }] };
}

const meant: Readonly<Record<string, string>> = {
  "×": "x",
  "–": "-",
  "—": "-",
  "−": "-",
  "→": "->",
  "…": "..",
  "，": ",",
  "：": ":",
  "（": "(",
  "）": ")",
  "｛": "{",
  "｝": "}",
  "；": "",
  ";": "",
};

/** Characters that no token begins with, and the words that touch them. */
export function invalidCharacter(span: Span): Diagnostic {
  const text = textOf(span);
  const base = { code: "parse/invalid-character", severity: "error", span } as const;
  const quoted = /^[“”„«'‘’`](.*)[“”»'‘’`]$/u.exec(text);
  if (quoted) {
    const message = `${text} is not a string: strings stand between straight double quotes`;
    return { ...base, message, help: 'Write the quotes as `"`.', fix: replaceBy(span, `"${quoted[1]}"`) };
  }
  if (/^\w+(?:-+\w+)+$/.test(text)) {
    const name = text.replaceAll(/-+/g, "_");
    const reason = "Names are made of letters, digits and `_`.";
    const message = `\`${text}\` is not a name: a hyphen cannot be part of one`;
    return { ...base, message, reason, help: `Names are joined by \`_\`: \`${name}\`.`, fix: replaceBy(span, name) };
  }
  if (/^[\p{L}\p{M}\w]+$/u.test(text)) {
    const reason = "Names become file names and identifiers of the code that is built, on every system.";
    const help = "Use the letters a to z, digits and `_`. Strings and comments may contain any character.";
    return { ...base, message: `\`${text}\` is not a name: it has letters outside a to z`, reason, help };
  }
  if (text in meant) return { ...base, ...insteadOf(span, text) };
  if (text === "#") return { ...base, message: "`#` does not begin a comment", help: "Comments begin with `//`." };
  const invisible = text.match(/[\p{C}\p{Z}]/gu);
  if (invisible) return { ...base, ...withoutInvisible(span, invisible) };
  const help = "Remove it, or put it between double quotes if it is part of a text.";
  return { ...base, message: `\`${text}\` has no meaning here`, help };
}

/** Names the characters that cannot be seen, not the letters around them. */
function withoutInvisible(span: Span, found: readonly string[]): Pick<Diagnostic, "message" | "help" | "fix"> {
  const points = found
    .slice(0, 4)
    .map((c) => `U+${(c.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0")}`);
  const more = found.length > 4 ? ` and ${found.length - 4} more` : "";
  const left = textOf(span).replaceAll(/[\p{C}\p{Z}]/gu, "");
  const where = left === "" ? "outside of a string" : `in \`${left}\``;
  const what = found.length === 1 ? "the invisible character" : "the invisible characters";
  return {
    message: `${what} ${points.join(" ")}${more} ${found.length === 1 ? "stands" : "stand"} ${where}`,
    help: `Remove ${found.length === 1 ? "it" : "them"}, or write \`\\u{...}\` in a string if ${found.length === 1 ? "it is" : "they are"} part of a text.`,
    ...(/^\w+$/.test(left) ? { fix: replaceBy(span, left) } : {}),
  };
}

/** What follows on the line, as far as a reader would look. */
function restOfLine({ source, end }: Span): string {
  return /^[^\r\n]*/.exec(source.text.slice(end, end + 200))?.[0] ?? "";
}

function insteadOf(span: Span, text: string): Pick<Diagnostic, "message" | "help" | "fix"> {
  if (text === ";" || text === "；") {
    const atEnd = /^[ \t]*(?:\/[/*].*)?$/.test(restOfLine(span));
    const help = atEnd ? "A line of a spec ends where the line ends." : "Arguments and items are separated by commas.";
    const message = `\`${text}\` separates nothing here`;
    return atEnd ? { message, help, fix: replaceBy(span, "", `remove \`${text}\``) } : { message, help };
  }
  const plain = meant[text] as string;
  return { message: `\`${text}\` looks like \`${plain}\` and is another character`, fix: replaceBy(span, plain) };
}

/** A string that its line does not close. */
export function openString(span: Span): Diagnostic {
  return {
    code: "parse/unterminated-string",
    severity: "error",
    span,
    message: "the string is not closed on its line",
    reason: 'A string ends with `"` on the line where it began; without it nothing says where the text stops.',
    help: 'Close it with `"`. A line break within a text is written `\\n`.',
  };
}

/** `/*` without its end. */
export function openComment(span: Span): Diagnostic {
  return {
    code: "parse/unterminated-comment",
    severity: "error",
    span,
    message: "the comment is never closed",
    reason: "Only this line was taken as the comment, so that the rest of the file could be checked.",
    help: "Close it with `*/`, or begin each line with `//`.",
  };
}

/** A backslash before something it does not go with. */
export function invalidEscape(span: Span): Diagnostic {
  const text = textOf(span);
  const base = { code: "parse/invalid-escape", severity: "error", span } as const;
  if (text.startsWith("\\u")) {
    return {
      ...base,
      message: `\`${text}\` names no character`,
      help: "Write the number of the character in one to six hexadecimal digits between braces: `\\u{e9}` is é.",
    };
  }
  return {
    ...base,
    message: `\`${text}\` is not an escape`,
    help: 'The escapes are \\n, \\r, \\t, \\", \\\\ and \\u{...}. A backslash itself is written \\\\; paths use `/`.',
    fix: replaceBy(span, `\\${text}`),
  };
}

/** Digits that are not one number. */
export function badNumber(span: Span): Diagnostic {
  const text = textOf(span);
  const base = { code: "parse/invalid-number", severity: "error", span } as const;
  if (/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text)) {
    return {
      ...base,
      message: `${text} is too large to be kept exactly`,
      reason: "Numbers are 64-bit floating point: whole numbers are exact up to 9007199254740991.",
      help: "Use a smaller number.",
    };
  }
  const plain = mended(text);
  const help = "Numbers are written like `12`, `-0.5` and `1.5e-4`, sizes like `224x224`, a unit stands after a space.";
  const message = `\`${text}\` is not a number`;
  return plain === null
    ? { ...base, message, help }
    : { ...base, message, help: `Write \`${plain}\`. ${help}`, fix: replaceBy(span, plain) };
}

/** The number that was surely meant, or null. */
function mended(text: string): string | null {
  if (/^\+\d+(?:\.\d+)?$/.test(text)) return text.slice(1);
  if (/^[+-]?\.\d+$/.test(text)) return text.replace(/^\+/, "").replace(".", "0.");
  if (/^-?\d+\.$/.test(text)) return text.slice(0, -1);
  if (/^-?\d+(?:_\d+)+$/.test(text)) return text.replaceAll("_", "");
  return null;
}

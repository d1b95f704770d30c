/** How text stands in a terminal: widths in columns, tabs, and characters that must not reach the terminal as they are. */

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]|\p{Emoji_Presentation}/u;
const zero = /^(?:\p{Mark}|\p{Cf})$/u;

const tab = "  ";

/** Columns a string takes. */
export function displayWidth(text: string): number {
  // Nearly every line: nothing but printable ASCII.
  if (/^[ -~]*$/.test(text)) return text.length;
  let width = 0;
  for (const character of text) {
    if (!zero.test(character)) width += wide.test(character) ? 2 : 1;
  }
  return width;
}

/** The words of a text in lines of at most `width` columns; a longer word has a line of its own. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ").filter((one) => one !== "")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length > 0 && displayWidth(longer) <= width) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.length > 0 ? lines : [""];
}

/** Printable text: tabs become two spaces, every other control character a visible picture of itself. */
export function visibleText(text: string): string {
  return text
    .replaceAll("\t", tab)
    .replace(/\p{Cc}/gu, (c) => (c < " " ? String.fromCharCode(0x2400 + c.charCodeAt(0)) : "\u2421"))
    .replace(/[\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

/** Printable text that may have line ends. */
export const visibleLines = (text: string): string =>
  text
    .split(/\r\n|\r|\n/)
    .map(visibleText)
    .join("\n");

/** What may be written to a terminal: everything but characters that it obeys. Line ends, tabs and colours stay. */
export const printable = (text: string): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  text.replace(/\u001b\[[\d;]*m|\r\n|[^\P{Cc}\n\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (found) =>
    found.length > 1 ? found : visibleText(found),
  );

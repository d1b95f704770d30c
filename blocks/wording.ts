/** Words of messages: how many there are of something, how much memory, and texts of strangers on one line. */

/** `1 file`, `3 files` */
export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** `47,040,016` */
export const grouped = (count: number): string => count.toLocaleString("en-US");

/** `7.70 GiB`, `49.4 MiB` */
export const bytesText = (bytes: number): string =>
  bytes >= 2 ** 30 ? `${(bytes / 2 ** 30).toFixed(2)} GiB` : `${(bytes / 2 ** 20).toFixed(1)} MiB`;

/** What begins a line, moves a terminal's cursor, or turns the direction of what follows. */
const unseen = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

const short: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

const escaped = (character: string): string =>
  short[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;

/**
 * Names of files, labels or numbers of strangers, as they may reach a terminal or a log: on one line, with everything visible. `\n` and
 * `\u001b` stand for the characters.
 */
export const oneLine = (text: string): string => text.replace(unseen, escaped);

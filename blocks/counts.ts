/** How messages say how many there are. */

/** `1 file`, `3 files` */
export const counted = (count: number, word: string): string => `${count} ${word}${count === 1 ? "" : "s"}`;

/** `47,040,016` */
export const grouped = (count: number): string => count.toLocaleString("en-US");

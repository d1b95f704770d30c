/** Small words drawn in pixels, so that a picture needs no font of the machine. */

/** The letters of the headings, five columns wide; seven rows stand on the line, two more may hang below it. */
const letters: Readonly<Record<string, readonly string[]>> = {
  a: ["     ", "     ", " ### ", "    #", " ####", "#   #", " ####"],
  b: ["#    ", "#    ", "# ## ", "##  #", "#   #", "#   #", "#### "],
  c: ["     ", "     ", " ### ", "#    ", "#    ", "#   #", " ### "],
  d: ["    #", "    #", " ## #", "#  ##", "#   #", "#   #", " ####"],
  e: ["     ", "     ", " ### ", "#   #", "#####", "#    ", " ### "],
  f: ["  ## ", " #   ", "###  ", " #   ", " #   ", " #   ", " #   "],
  h: ["#    ", "#    ", "# ## ", "##  #", "#   #", "#   #", "#   #"],
  i: ["  #  ", "     ", " ##  ", "  #  ", "  #  ", "  #  ", " ### "],
  l: [" ##  ", "  #  ", "  #  ", "  #  ", "  #  ", "  #  ", " ### "],
  m: ["     ", "     ", "## # ", "# # #", "# # #", "# # #", "# # #"],
  n: ["     ", "     ", "# ## ", "##  #", "#   #", "#   #", "#   #"],
  o: ["     ", "     ", " ### ", "#   #", "#   #", "#   #", " ### "],
  p: ["     ", "     ", "# ## ", "##  #", "#   #", "##  #", "# ## ", "#    ", "#    "],
  r: ["     ", "     ", "# ## ", "##  #", "#    ", "#    ", "#    "],
  s: ["     ", "     ", " ####", "#    ", " ### ", "    #", "#### "],
  t: [" #   ", " #   ", "###  ", " #   ", " #   ", " #  #", "  ## "],
  u: ["     ", "     ", "#   #", "#   #", "#   #", "#  ##", " ## #"],
  v: ["     ", "     ", "#   #", "#   #", "#   #", " # # ", "  #  "],
};

/** From the start of one letter to the start of the next. */
const advance = 6;
export const letterHeight = 9;

/** Width of a word in letter pixels. */
export const wordWidth = (word: string): number => word.length * advance - 1;

/** Calls `draw` with the place of each dark letter pixel of a word, from its upper left corner. Unknown letters are blank. */
export function drawWord(word: string, draw: (x: number, y: number) => void): void {
  for (const [i, letter] of [...word].entries()) {
    for (const [y, row] of (letters[letter] ?? []).entries()) {
      for (const [x, mark] of [...row].entries()) if (mark === "#") draw(i * advance + x, y);
    }
  }
}

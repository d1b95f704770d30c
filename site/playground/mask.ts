/** Pictures of masks: each token of a model's lattice as a square, visible or hidden, for some samples. */

import {
  axesText,
  countsText,
  type Lattice,
  type MaskSampler,
  type ModelProgram,
  tokenCount,
} from "../../blocks/index.js";
import { assemble, type Model, programOf } from "../../compiler/index.js";
import { randomStream } from "../../graph/index.js";
import { escaped } from "../mae-text.js";

const samples = 6;

/** Largest number of squares that are drawn for a sample. */
const mostSquares = 16_384;

/** @param epoch each draws other masks */
export function masksHtml(model: Model, epoch: number): string {
  const program = programOf(assemble(model));
  if (Object.values(program.fields ?? {}).some(({ kind }) => kind === "mask")) {
    return "<p>This mask is made of what each sample shows, and there are no samples here.</p>";
  }
  const masks = Object.values(program.masks).map((mask, i) => maskHtml(program, mask, i, epoch));
  return `${masks.join("")}<button type="button" id="again">Draw others</button>`;
}

/** The lattices over which a mask lies: one, or those of all arrays. */
function latticesUnder({ grids }: ModelProgram, { tokens }: MaskSampler, i: number): readonly Lattice[] {
  const all = Object.values(grids);
  const own = all[i] as Lattice;
  return tokenCount(own) === tokens ? [own] : all;
}

/** `i`: which of the masks it is. */
function maskHtml(program: ModelProgram, mask: MaskSampler, i: number, epoch: number): string {
  const { tokens } = mask;
  const lattices = latticesUnder(program, mask, i);
  const shapes = lattices.map((grid) => `${countsText(grid)} (${axesText(grid)})`);
  if (tokens > mostSquares) return `<p>${tokens.toLocaleString("en")} tokens are too many for a picture.</p>`;
  const pictures = Array.from({ length: samples }, (_, sample) => {
    // As training draws them with the seed 0.
    const at = mask.shared ? 0 : sample;
    const order = mask.sample(i === 0 ? randomStream(0, "mask", epoch, at) : randomStream(0, "mask", epoch, at, i));
    const seen = order.subarray(0, mask.visible);
    let before = 0;
    return lattices.map((grid) => {
      const own = new Set(Array.from(seen, (token) => token - before));
      before += tokenCount(grid);
      return picture(
        grid.map(({ count }) => count),
        own,
      );
    });
  });
  const notes = [
    `${shapes.join(" and ")}: ${mask.visible} of ${tokens} tokens are visible (${Math.round((100 * mask.visible) / tokens)} %).`,
    ...(mask.varies ? ["Their number varies from batch to batch; this is the largest."] : []),
    ...(mask.guide
      ? ["What the model attends to decides in training; these are the drawn orders that it starts from."]
      : []),
    ...(mask.shared ? ["All samples of a batch share one mask."] : []),
  ];
  const items = pictures.map((svgs) => `<li>${svgs.join("")}</li>`).join("");
  return `<p>${escaped(notes.join(" "))}</p><ul class="masks">${items}</ul>`;
}

/** Rows and columns; of more axes, one picture of rows and columns beside the other. */
function picture(counts: readonly number[], seen: ReadonlySet<number>): string {
  const [rows = 1, columns = 1] = counts.length === 1 ? [1, counts[0]] : counts.slice(-2);
  const frames = counts.slice(0, -2).reduce((product, count) => product * count, 1);
  const gap = frames > 1 ? 1 : 0;
  const across = Math.ceil(Math.sqrt(frames));
  const [width, height] = [across * (columns + gap) - gap, Math.ceil(frames / across) * (rows + gap) - gap];
  let squares = "";
  for (let token = 0; token < frames * rows * columns; token++) {
    const frame = Math.floor(token / (rows * columns));
    const [row, column] = [Math.floor(token / columns) % rows, token % columns];
    const [x, y] = [(frame % across) * (columns + gap) + column, Math.floor(frame / across) * (rows + gap) + row];
    const kind = seen.has(token) ? "visible" : "hidden";
    squares += `<rect class="${kind}" x="${x + 0.05}" y="${y + 0.05}" width="0.9" height="0.9"/>`;
  }
  // A row alone is drawn in thicker squares.
  const stretch = rows === 1 && frames === 1 ? ' preserveAspectRatio="none" style="height: 2.5rem"' : "";
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="a mask"${stretch}>${squares}</svg>`;
}

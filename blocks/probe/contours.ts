/** How well a said region fits one that is there: by its area and by its contour, as the evaluation of DAVIS has them. Regions are flags of [height, width]. */

export type Region = Uint8Array;

/** An object of a sequence: J and F in each frame that is judged. */
export interface JudgedObject {
  readonly area: readonly number[];
  readonly contour: readonly number[];
}

interface Size {
  readonly height: number;
  readonly width: number;
}

/** J: what both cover over what either covers; 1 where neither covers anything. */
export function areaShare(said: Region, there: Region): number {
  let [both, either] = [0, 0];
  for (const [at, own] of said.entries()) {
    both += own & (there[at] as number);
    either += own | (there[at] as number);
  }
  return either === 0 ? 1 : both / either;
}

/** Share of the diagonal that contours may lie apart. */
const tolerance = 0.008;

/** F: the harmonic mean of the shares of each contour that lie near the other. */
export function contourShare(said: Region, there: Region, size: Size): number {
  const radius = Math.ceil(tolerance * Math.hypot(size.height, size.width));
  const [own, other] = [contourOf(said, size), contourOf(there, size)];
  const [ofOwn, ofOther] = [count(own), count(other)];
  if (ofOwn === 0 || ofOther === 0) return ofOwn === ofOther ? 1 : 0;
  const precision = common(own, widened(other, size, radius)) / ofOwn;
  const recall = common(other, widened(own, size, radius)) / ofOther;
  return precision + recall === 0 ? 0 : (2 * precision * recall) / (precision + recall);
}

/** Places that differ from the one to the right, the one below, or the one below to the right. */
export function contourOf(region: Region, { height, width }: Size): Region {
  const contour = new Uint8Array(region.length);
  for (let at = 0; at < region.length; at++) {
    const own = region[at] as number;
    const [right, down] = [at % width < width - 1, at < (height - 1) * width];
    const differs = (there: boolean, step: number): boolean => there && region[at + step] !== own;
    contour[at] = differs(right, 1) || differs(down, width) || differs(right && down, width + 1) ? 1 : 0;
  }
  return contour;
}

/** All places within so many of one. */
function widened(region: Region, { height, width }: Size, radius: number): Region {
  const wide = new Uint8Array(region.length);
  for (const [at, own] of region.entries()) {
    if (own === 0) continue;
    const [y, x] = [Math.floor(at / width), at % width];
    for (let dy = Math.max(-radius, -y); dy <= Math.min(radius, height - 1 - y); dy++) {
      const reach = Math.floor(Math.sqrt(radius * radius - dy * dy));
      wide.fill(1, (y + dy) * width + Math.max(0, x - reach), (y + dy) * width + Math.min(width - 1, x + reach) + 1);
    }
  }
  return wide;
}

const count = (region: Region): number => region.reduce((sum, one) => sum + one, 0);

const common = (a: Region, b: Region): number => a.reduce((sum, one, at) => sum + (one & (b[at] as number)), 0);

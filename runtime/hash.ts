/** A number for a name, to key its random stream by. */

/** FNV-1a, 32 bits, of the UTF-16 code units. */
export function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) state = Math.imul(state ^ text.charCodeAt(i), 0x01000193) >>> 0;
  return state;
}

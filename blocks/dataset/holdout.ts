/** Which images are held out for testing: decided by each image's path alone, so that adding images moves no other. */

/** 32 well-mixed bits of a text's UTF-8 bytes: FNV-1a, then the finalizer of MurmurHash3. */
function hash(text: string): number {
  let bits = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) bits = Math.imul(bits ^ byte, 0x01000193);
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/** Whether the image at `path`, relative to its folder, belongs to the held-out share. */
export const isHeldOut = (path: string, share: number): boolean => hash(path) < share * 2 ** 32;

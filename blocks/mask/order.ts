/** From a set of visible patches to a mask's order. */

/**
 * The visible patches in the order of the scan, then the hidden ones in the order of the scan.
 * `hidden`: one flag for each raster index. `scan`: raster indices in the order of visit; if absent, raster order.
 */
export function visibleFirst(hidden: Uint8Array, scan?: Int32Array): Int32Array {
  const order = new Int32Array(hidden.length);
  let filled = 0;
  for (const wanted of [0, 1]) {
    for (let k = 0; k < hidden.length; k++) {
      const token = scan === undefined ? k : (scan[k] as number);
      if (hidden[token] === wanted) order[filled++] = token;
    }
  }
  return order;
}

/** A disk without room: what is written to files meanwhile goes to the device that Linux has for it, which is always full. */

import { type FileHandle, open } from "node:fs/promises";
import { vi } from "vitest";

/** `fitting`: files for which there is room still. */
export async function onFullDisk<T>(act: () => Promise<T>, fitting = 0): Promise<T> {
  const full = await open("/dev/full", "w");
  const handles = Object.getPrototypeOf(full) as FileHandle;
  const write = handles.write as (...args: unknown[]) => unknown;
  const seen: FileHandle[] = [];
  function routed(this: FileHandle, ...args: unknown[]): unknown {
    if (!seen.includes(this)) seen.push(this);
    return write.apply(seen.indexOf(this) < fitting ? this : full, args);
  }
  const spy = vi.spyOn(handles, "write").mockImplementation(routed as FileHandle["write"]);
  try {
    return await act();
  } finally {
    spy.mockRestore();
    await full.close();
  }
}

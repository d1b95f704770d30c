/** A folder of its own for each test, with files as the test writes them, read as the runtime reads them. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { arrayOfImage, type DatasetContext, type Files } from "../../../blocks/index.js";
import { nodeFiles } from "../../../runtime/data/files.js";

/** What data is opened for where a test says nothing of the model. */
export const ofImages: DatasetContext = { array: arrayOfImage({ height: 1, width: 1, channels: 1 }) };

/** Writes the files (a path ending in "/" is an empty folder); they are deleted after the test. */
export function filesWith(contents: Readonly<Record<string, Uint8Array | string>>): Files {
  const root = mkdtempSync(join(tmpdir(), "maelang-"));
  onTestFinished(() => rmSync(root, { recursive: true }));
  for (const [path, content] of Object.entries(contents)) {
    const full = join(root, path);
    mkdirSync(path.endsWith("/") ? full : dirname(full), { recursive: true });
    if (!path.endsWith("/")) writeFileSync(full, content);
  }
  return nodeFiles(root);
}

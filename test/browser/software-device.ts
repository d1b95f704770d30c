/**
 * Finds a browser and a Vulkan driver that computes on the processor (SwiftShader, which every Chromium carries), so
 * that the GPU backends are tested on machines without a GPU. Looks in MAE_CHROMIUM, PATH, the usual folders and the npm
 * package @sparticuz/chromium.
 */

import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

/** Something found, or why not. */
export type Found<T> = { readonly found: T } | { readonly missing: string };

const browserNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** Where packages put the browser's real folder, which holds the driver. */
const browserFolders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];

const onPath = (): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => browserNames.map((name) => join(folder, name)))
    .find((file) => existsSync(file));

/** Unpacks the browser of @sparticuz/chromium, with its driver beside it, into the folder for temporary files. */
async function fromPackage(): Promise<string | undefined> {
  const name = "@sparticuz/chromium";
  try {
    const { default: chromium } = (await import(name)) as { default: { executablePath(): Promise<string> } };
    return await chromium.executablePath();
  } catch {
    return undefined;
  }
}

export async function findChromium(): Promise<Found<string>> {
  const asked = process.env.MAE_CHROMIUM;
  if (asked !== undefined) return existsSync(asked) ? { found: asked } : { missing: `MAE_CHROMIUM: no file ${asked}` };
  const found = onPath() ?? (await fromPackage());
  return found === undefined ? { missing: "no Chromium in MAE_CHROMIUM, PATH or @sparticuz/chromium" } : { found };
}

const driver = "vk_swiftshader_icd.json";

/** Environment in which Dawn finds a software driver; a driver already named in the environment stays. */
export async function findVulkan(): Promise<Found<Readonly<Record<string, string>>>> {
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return { found: {} };
  const installed = browserFolders.map((folder) => join(folder, driver)).find((file) => existsSync(file));
  if (installed) return { found: { VK_ICD_FILENAMES: installed, VK_DRIVER_FILES: installed } };
  const browser = (await fromPackage()) ?? "";
  const folder = [dirname(browser), tmpdir()].find((place) => existsSync(join(place, driver)));
  if (!folder) return { missing: `no ${driver} beside a Chromium` };
  const file = join(folder, driver);
  // The package brings the Vulkan loader too.
  return { found: { VK_ICD_FILENAMES: file, VK_DRIVER_FILES: file, LD_LIBRARY_PATH: folder } };
}

/**
 * Finds a browser and a Vulkan driver that computes on the processor (SwiftShader, which every Chromium carries), so
 * that the GPU backends are tested on machines without a GPU. Looks in MAE_CHROMIUM, in PATH and the usual folders, and
 * in the npm package @sparticuz/chromium.
 */

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { packagedChromium } from "./packaged-chromium.js";

/** Something found, or why not. */
export type Found<T> = { readonly found: T } | { readonly missing: string };

type Environment = Readonly<Record<string, string>>;

export interface Browser {
  readonly executable: string;
  /** What it needs in its environment to start. */
  readonly environment: Environment;
}

const browserNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];

/** Where packages put the browser's real folder, which holds the driver. */
const browserFolders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];

const onPath = (): string | undefined =>
  (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => browserNames.map((name) => join(folder, name)))
    .find((file) => existsSync(file));

/** Some names on PATH are launchers of a browser that is not installed. */
function starts({ executable, environment }: Browser): string | undefined {
  try {
    const env = { ...process.env, ...environment };
    execFileSync(executable, ["--version"], { env, stdio: "pipe", timeout: 20_000 });
    return undefined;
  } catch (error) {
    return `${executable} does not start: ${error instanceof Error ? error.message.split("\n").at(-1) : error}`;
  }
}

export function findChromium(): Found<Browser> {
  const asked = process.env.MAE_CHROMIUM ?? onPath();
  const packaged = packagedChromium();
  const candidates: Browser[] = [];
  if (asked) candidates.push({ executable: asked, environment: {} });
  if (packaged) {
    candidates.push({ executable: packaged.executable, environment: { LD_LIBRARY_PATH: packaged.libraries } });
  }
  const reasons: string[] = [];
  for (const candidate of candidates) {
    const reason = starts(candidate);
    if (reason === undefined) return { found: candidate };
    reasons.push(reason);
  }
  return { missing: reasons.join("; ") || "no Chromium in MAE_CHROMIUM, PATH or @sparticuz/chromium" };
}

const driver = "vk_swiftshader_icd.json";

/** The environment in which Dawn finds a driver; one that is already named in the environment stays. */
export function findVulkan(): Found<Environment> {
  if (process.env.VK_DRIVER_FILES || process.env.VK_ICD_FILENAMES) return { found: {} };
  const named = (folder: string): Environment => ({
    VK_DRIVER_FILES: join(folder, driver),
    VK_ICD_FILENAMES: join(folder, driver),
  });
  const packaged = packagedChromium();
  // Before an installed browser's driver: the package brings the Vulkan loader too.
  if (packaged) return { found: { ...named(packaged.folder), LD_LIBRARY_PATH: packaged.loader } };
  const installed = browserFolders.find((folder) => existsSync(join(folder, driver)));
  return installed ? { found: named(installed) } : { missing: `no ${driver} of a Chromium or of @sparticuz/chromium` };
}

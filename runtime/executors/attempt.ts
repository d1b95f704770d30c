/**
 * Finding out what works here: whether a package is installed, and what a small program that uses it answers. What could
 * crash or hang is tried in a process of its own.
 */

import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import type { Precision } from "../../blocks/index.js";
import type { Availability } from "./executor.js";

export interface Probe extends Availability {
  /** A GPU, rather than a processor or a rasterizer that imitates one. */
  readonly accelerated: boolean;
  /** Number formats of products besides float32; if absent, none. */
  readonly precisions?: readonly Precision[];
}

/** What to do where no graphics driver is found. */
export const driverRemedy =
  process.platform === "linux"
    ? "Install the Vulkan driver of the card: on NVIDIA it comes with the driver (in a container start with " +
      "NVIDIA_DRIVER_CAPABILITIES=all), otherwise with the package mesa-vulkan-drivers; libvulkan1 is needed too."
    : "Update the graphics driver.";

const require = createRequire(import.meta.url);

/** The URL of an installed package's entry; undefined when it is not installed. */
export function entryOf(name: string): string | undefined {
  try {
    return pathToFileURL(require.resolve(name)).href;
  } catch {
    return undefined;
  }
}

export type Answer =
  | { readonly kind: "said"; readonly text: string }
  | { readonly kind: "failed"; readonly why: string; readonly complaints: string };

/** What a small program prints after the marker; its crash or silence is an answer too. */
export function ask(program: string, seconds: number): Promise<Answer> {
  const marker = "answer:";
  const script = `const answer = (value) => console.log("${marker}" + JSON.stringify(value));\n${program}\nprocess.exit(0);`;
  return new Promise((resolve) => {
    const settings = { timeout: seconds * 1000, killSignal: "SIGKILL", encoding: "utf8" } as const;
    execFile(process.execPath, ["--input-type=module", "--eval", script], settings, (error, stdout, stderr) => {
      const line = stdout.split("\n").find((text) => text.startsWith(marker));
      if (line !== undefined) return resolve({ kind: "said", text: line.slice(marker.length) });
      const complaints = stderr.trim();
      if (error?.killed) return resolve({ kind: "failed", why: `no answer within ${seconds} s`, complaints });
      if (error?.signal) return resolve({ kind: "failed", why: `it crashed (${error.signal})`, complaints });
      resolve({ kind: "failed", why: `the attempt ended with exit code ${error?.code ?? 0}`, complaints });
    });
  });
}

/** The cause with the last thing that the attempt printed. */
export const withComplaint = (why: string, complaints: string): string => {
  const line = complaints.split("\n").findLast((text) => text.trim() !== "");
  return line === undefined ? why : `${why}: ${line.trim()}`;
};

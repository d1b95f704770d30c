/** The site as it is built, and its playground opened in headless Chromium. */

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { openPage } from "../browser/open-page.js";
import type { Browser } from "../browser/software-device.js";

/** Builds it; gives its files by their paths. */
export function builtSite(folder: string): Readonly<Record<string, Uint8Array>> {
  execFileSync(process.execPath, ["tools/site.mjs", folder], { stdio: ["ignore", "ignore", "inherit"] });
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  const files = paths.filter((path) => statSync(join(folder, path)).isFile());
  return Object.fromEntries(files.map((path) => [path.replaceAll("\\", "/"), readFileSync(join(folder, path))]));
}

/** @param asked gets the address of everything that the page loads */
export async function openPlayground(
  browser: Browser,
  files: Readonly<Record<string, Uint8Array>>,
  asked: string[] = [],
): Promise<{ readonly page: Page; readonly close: () => Promise<void> }> {
  const opened = await openPage(browser, { "page.js": "", ...files });
  const { page } = opened;
  page.on("request", (request) => asked.push(request.url()));
  page.on("pageerror", (error) => {
    throw error;
  });
  await page.setViewportSize({ width: 1280, height: 860 });
  await page.goto(new URL("play.html", page.url()).href);
  await page.waitForSelector("#view .plan");
  return opened;
}

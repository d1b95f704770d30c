/**
 * The pictures in `docs/images/`: what `mae check` prints, an explanation in the playground, the playground. Run by
 * `npm run pictures` after `npm run build`; needs Chromium.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { findChromium } from "../browser/software-device.js";
import { builtSite, openPlayground } from "./built.js";

const images = "docs/images";

const spec = `edition 2026

model Wrong {
  input   image(size: 224x224, channels: 3)
  tokens  patch(size: 16x16)
  mask    random(ratio: 98%)
  encoder vit(depth: 12, width: 768, heads: 10)
  decoder vitt(depth: 8, width: 512, heads: 16)
  target  pixels(normalize: patch)
  loss    mse(on: hidden)
}
`;

/** Colours of a terminal by their codes. */
const colours: Readonly<Record<string, string>> = {
  1: "font-weight: 700",
  2: "opacity: 0.65",
  31: "color: #ff8d80",
  32: "color: #8fcb8f",
  33: "color: #f2b84b",
  34: "color: #86b8f2",
  36: "color: #7fd1d6",
  90: "color: #9a9a97",
};

const closing = new Set(["0", "22", "39", "49"]);

/** What a terminal shows, as HTML. */
function terminalHtml(text: string): string {
  const escaped = text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").trimEnd();
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the sign that begins a colour
  return escaped.replace(/\x1b\[(\d+)m/g, (_, code: string) =>
    closing.has(code) ? "</span>" : `<span style="${colours[code] ?? ""}">`,
  );
}

/** Few colours, so few bytes. */
async function keep(name: string, png: Uint8Array): Promise<void> {
  const { size } = await sharp(png).png({ palette: true, effort: 10 }).toFile(join(images, name));
  console.log(`${join(images, name)}: ${Math.round(size / 1024)} KiB`);
}

function printed(): string {
  const folder = mkdtempSync(join(tmpdir(), "mae-pictures-"));
  writeFileSync(join(folder, "wrong.mae"), spec);
  const options = { cwd: folder, encoding: "utf8", env: { ...process.env, FORCE_COLOR: "1" } } as const;
  const { stdout } = spawnSync(process.execPath, [resolve("dist/cli.js"), "check"], options);
  rmSync(folder, { recursive: true });
  return stdout;
}

async function terminalPicture(page: Page): Promise<void> {
  await page.setContent(
    `<body style="margin: 0; background: #fff"><pre style="display: inline-block; margin: 0; padding: 1.2rem 1.5rem; background: #1a1b1f; color: #dfdcd3; font: 14px/1.45 'DejaVu Sans Mono', monospace">${terminalHtml(printed())}</pre></body>`,
  );
  await keep("check.png", await page.locator("pre").screenshot());
}

const browser = findChromium();
if ("missing" in browser) throw new Error(browser.missing);
mkdirSync(images, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), "mae-pictures-"));
const { page, close } = await openPlayground(browser.found, builtSite(folder));
await page.setViewportSize({ width: 1280, height: 700 });
await page.click("[data-view=mask]");
await page.locator(".masks").waitFor();
await keep("playground.png", await page.screenshot());
// Narrow, so that the editor has the whole width.
await page.setViewportSize({ width: 800, height: 800 });
await page.locator(".cm-content span", { hasText: /^random$/ }).hover();
await page.locator(".explanation").waitFor();
const editor = await page.locator("#editor").boundingBox();
if (!editor) throw new Error("there is no editor");
await keep("hover.png", await page.screenshot({ clip: editor }));
await terminalPicture(page);
await close();
rmSync(folder, { recursive: true });

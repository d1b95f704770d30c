/**
 * The pictures in `docs/images/`: what `mae check` prints, an explanation in the playground, the playground, runs as a live page and as a
 * report. Run by `npm run pictures` after `npm run build`; needs Chromium, and some minutes to train three small runs.
 */

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { createReader, runFolders } from "../../cli/watch/find-runs.js";
import { serve } from "../../cli/watch/server.js";
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

/** Trains what a new project has, with another mask and another seed. Gives the folder. */
function trainedRuns(): string {
  const cwd = mkdtempSync(join(tmpdir(), "mae-pictures-"));
  const mae = (...args: readonly string[]) =>
    spawnSync(process.execPath, [resolve("dist/cli.js"), ...args], { cwd, stdio: "inherit" });
  mae("init", ".");
  const text = readFileSync(join(cwd, "model.mae"), "utf8").replace(
    "  batch ",
    "  evaluate  knn every 10 epochs\n  batch ",
  );
  for (const [ratio, seed] of [
    [75, 0],
    [75, 1],
    [40, 0],
  ]) {
    const name = `mask-${ratio}-${seed}`;
    writeFileSync(join(cwd, `${name}.mae`), text.replace("ratio: 75%", `ratio: ${ratio}%`));
    const rest = ["--seed", String(seed), "--epochs", "100", "--pictures-every", "25 epochs", "--gradient-norm"];
    mae("train", `${name}.mae`, ...rest);
  }
  return cwd;
}

async function runPictures(page: Page): Promise<void> {
  const cwd = trainedRuns();
  const read = createReader();
  const here = process.cwd();
  const live = await serve(async () => {
    const runs = await read(runFolders([join(cwd, "runs")]).folders);
    return runs.map((run) => ({ ...run, label: relative(cwd, run.history.directory) }));
  }, 0);
  await page.setViewportSize({ width: 1280, height: 960 });
  await page.goto(live.address);
  await page.locator("figure.chart svg").first().hover();
  await keep("watch.png", await page.screenshot());
  await live.close();
  const report = ["report", "runs", "--title", "Two masks", "--out", "report.html"];
  spawnSync(process.execPath, [join(here, "dist/cli.js"), ...report], { cwd, stdio: "inherit" });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.goto(`file://${join(cwd, "report.html")}`);
  await keep("report.png", await page.screenshot());
  const diagnosed = ["diagnose", "runs/mask-75-0", "--out", "diagnosis.html"];
  spawnSync(process.execPath, [join(here, "dist/cli.js"), ...diagnosed], { cwd, stdio: "inherit" });
  await page.emulateMedia({ colorScheme: "light" });
  await page.goto(`file://${join(cwd, "diagnosis.html")}`);
  await keep("diagnosis.png", await page.screenshot());
  rmSync(cwd, { recursive: true });
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
await runPictures(page);
await close();
rmSync(folder, { recursive: true });

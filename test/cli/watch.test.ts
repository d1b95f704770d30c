/** Runs as pages: the log read in bounded memory, the live page and the report in a browser, closed to whatever a run says. */

import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createCurve } from "../../cli/watch/curve.js";
import { createReader, runFolders } from "../../cli/watch/find-runs.js";
import { createHistory } from "../../cli/watch/history.js";
import { type Live, serve } from "../../cli/watch/server.js";
import { findChromium } from "../browser/software-device.js";
import { folder, mae } from "./mae.js";
import { smallModel, smallRecipe } from "./small.js";

const evil = `<img src=x onerror="window.owned=1">"'&</script><script>window.owned=1</script>`;

const facts = (seed: number) => ({
  format_version: "1.0",
  file: "small.mae",
  model: "Small",
  recipe: "Train",
  root: "/",
  settings: { batch: 16, epochs: null, steps: 40, seed },
  executor: { name: "tfjs", backend: "wasm", device: "" },
  started: "2026-01-01T00:00:00.000Z",
});

const spec = (seed: number): string =>
  `edition 2026\n\n${smallModel}\n${smallRecipe(16, 40)}`.replace(
    "schedule  constant",
    `schedule  constant\n  seed      ${seed}`,
  );

const step = (n: number, loss: number): string =>
  `${JSON.stringify({ kind: "step", step: n, loss, terms: { mse: loss, [evil]: 1 }, lr: 1e-3, gradient_norm: 2 / n, images_per_second: 90, waiting: 0.1, time: new Date(n * 1000).toISOString() })}\n`;

/** A run that has come to step 20, with a probe, a picture and remarks of a stranger. */
function writeRun(directory: string, seed: number, scale: number): void {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "run.json"), JSON.stringify(facts(seed)));
  writeFileSync(join(directory, "spec.mae"), spec(seed));
  const steps = Array.from({ length: 20 }, (_, i) => step(i + 1, scale / (i + 1)));
  const rest = [
    { kind: "probe", step: 20, name: "knn", scores: { top1: 0.5 + seed / 100, [evil]: 0.5 } },
    { kind: "note", step: 20, text: evil },
  ].map((line) => `${JSON.stringify(line)}\n`);
  writeFileSync(
    join(directory, "log.jsonl"),
    `${JSON.stringify({ kind: "run", step: 0, steps: 40 })}\n${steps.join("")}${rest.join("")}`,
  );
}

let root = "";
let live: Live;
const found = findChromium();
let browser: Browser | null = null;
let page: Page;
const asked: string[] = [];
const wrong: string[] = [];

beforeAll(async () => {
  root = folder();
  writeRun(join(root, "runs/a"), 0, 1);
  writeRun(join(root, "runs/family/b <b>"), 1, 2);
  const png = await sharp({ create: { width: 8, height: 8, channels: 3, background: "red" } })
    .png()
    .toBuffer();
  writeFileSync(join(root, "runs/a/reconstruction-10.png"), png);
  writeFileSync(join(root, "runs/a/reconstruction.png"), png);
  writeFileSync(join(root, "secret"), png);
  symlinkSync(join(root, "secret"), join(root, "runs/a/reconstruction-5.png"));
  const read = createReader();
  live = await serve(() => read(runFolders([join(root, "runs")]).folders), 0);
  if ("missing" in found) return;
  const { executable, environment } = found.found;
  browser = await chromium.launch({
    executablePath: executable,
    env: { ...process.env, ...environment } as Record<string, string>,
    args: ["--no-sandbox"],
  });
  page = await browser.newPage();
  page.on("request", (one) => asked.push(one.url()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  page.on("console", (line) => line.type() === "error" && wrong.push(line.text()));
});
afterAll(async () => {
  await browser?.close();
  await live?.close();
});

describe("the log of a run", () => {
  it("is read in bounded memory, and means and ranges stay true", () => {
    const curve = createCurve();
    for (let i = 1; i <= 100_000; i++) curve.add(i, null, i % 10);
    expect(curve.stretches.length).toBeLessThanOrEqual(2048);
    const count = curve.stretches.reduce((sum, one) => sum + one.count, 0);
    const mean = curve.stretches.reduce((sum, one) => sum + one.count * one.mean, 0) / count;
    expect([count, mean.toFixed(6), curve.stretches.at(-1)?.step]).toEqual([100_000, "4.500000", 100_000]);
    expect(curve.stretches.slice(1, -1).every(({ least, most }) => least === 0 && most === 9)).toBe(true);
    // A run that goes back forgets what it had beyond.
    curve.add(50_000, null, 100);
    expect(curve.stretches.at(-1)).toMatchObject({ step: 50_000, most: 100 });
  });

  it("may be half written, replaced, or hold anything", async () => {
    const directory = folder({
      "log.jsonl": `${step(1, 1)}not json\n[]\nnull\n${'{"kind":"step","step":"x"}'}\n{"kind":"st`,
    });
    const history = createHistory(directory);
    const losses = () => history.curves.get("loss")?.stretches.map((one) => [one.step, one.mean]);
    await history.update();
    expect(losses()).toEqual([[1, 1]]);
    // The begun line is finished, then comes one that is longer than any line may be, then a good one.
    appendFileSync(
      join(directory, "log.jsonl"),
      `ep","step":2,"loss":0.5}\n{"kind":"note","text":"${"x".repeat(2 ** 21)}"}\n${step(3, 0.25)}`,
    );
    await history.update();
    expect(losses()).toEqual([
      [1, 1],
      [2, 0.5],
      [3, 0.25],
    ]);
    expect(history.remarks).toEqual([]);
    writeFileSync(join(directory, "log.jsonl"), `${step(1, 9)}{"kind":"failure","step":1,"text":"\\u001b[31mNaN"}\n`);
    await history.update();
    expect(losses()).toEqual([[1, 9]]);
    expect(history.status).toBe("failed");
    expect(history.remarks[0]?.text).not.toContain("\u001b");
    rmSync(join(directory, "log.jsonl"));
    await history.update();
    // However many curves a log names.
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`t${i}`, i]));
    const wide = folder({ "log.jsonl": `${JSON.stringify({ kind: "step", step: 1, loss: 1, terms: many })}\n` });
    const broad = createHistory(wide);
    await broad.update();
    expect(broad.curves.size).toBeLessThanOrEqual(64);
  });
});

describe("the live page", () => {
  const get = (path: string, headers = {}): Promise<{ status: number; type: string }> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(live.address);
      request({ hostname, port, path, headers }, (response) => {
        response.resume();
        resolve({ status: response.statusCode ?? 0, type: String(response.headers["content-type"]) });
      })
        .on("error", reject)
        .end();
    });

  it("gives out pictures of runs and nothing else, to this machine's name alone", async () => {
    expect(new URL(live.address).hostname).toBe("127.0.0.1");
    expect(await get("/picture/0/reconstruction.png")).toEqual({ status: 200, type: "image/png" });
    for (const path of [
      "/picture/0/run.json",
      "/picture/0/..%2frun.json",
      "/picture/../run.json",
      "/picture/7/reconstruction.png",
      "/picture/0/reconstruction-5.png",
      "/etc/passwd",
    ]) {
      expect((await get(path)).status, path).toBe(404);
    }
    expect((await get("/", { host: "elsewhere.example" })).status).toBe(403);
  });

  it.skipIf(browser === null && "missing" in found)(
    "shows runs as they go on, and runs nothing of theirs",
    async () => {
      await page.goto(live.address);
      const text = () => page.locator("main").textContent();
      expect(await text()).toContain("20 of 40");
      expect(await page.locator("figure.chart").count()).toBe(9);
      expect(await page.locator("polyline.curve").count()).toBe(18);
      const label = await page.locator("figure.chart svg").first().getAttribute("aria-label");
      expect(label).toMatch(/^loss: .*runs\/a from 1 to 0\.05, .*b <b> from 2 to 0\.1$/);
      expect(await page.locator(".picture img").count()).toBe(2);
      await page.locator("figure.chart svg").first().hover();
      expect(await page.locator(".tip").textContent()).toMatch(/steps \d+.*runs\/a/);
      const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
      const light = await paper();
      await page.emulateMedia({ colorScheme: "dark" });
      expect(await paper()).not.toBe(light);
      appendFileSync(
        join(root, "runs/a/log.jsonl"),
        `${step(21, 0.001)}{"kind":"end","step":21,"interrupted":false}\n`,
      );
      await page.waitForFunction(() => document.querySelector("main")?.textContent?.includes("finished"));
      expect(await text()).toContain("21 of 40");
      await page.check("input[name=log]");
      await page.waitForFunction(() => document.querySelector("figcaption")?.textContent?.includes("logarithmic"));
      await page.selectOption("select", "minutes");
      await page.waitForFunction(() => document.querySelector("text.axis:last-of-type")?.textContent === "minutes");
      expect(await page.evaluate(() => "owned" in window)).toBe(false);
      expect(asked.filter((url) => !url.startsWith(live.address))).toEqual([]);
      expect(wrong).toEqual([]);
    },
  );
});

describe("mae report", () => {
  it("writes one file that loads nothing and says what numbers cannot tell", async () => {
    const { code, stdout, stderr } = await mae(["report", "runs/a", "runs/family", "-o", "r.html", "--title", evil], {
      cwd: root,
    });
    expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: "r.html\n" });
    const again = await mae(["report", "runs/a", "-o", "r.html"], { cwd: root });
    expect([again.code, again.stderr]).toEqual([1, expect.stringContaining("--force")]);
    const html = readFileSync(join(root, "r.html"), "utf8");
    expect(html).not.toMatch(/(?:src|href)="(?!data:)/);
    expect(statSync(join(root, "r.html")).size).toBeLessThan(200_000);
    if (!browser) return;
    // The live page still asks until it is left.
    await page.goto("about:blank");
    asked.length = 0;
    await page.goto(`file://${join(root, "r.html")}`);
    const text = await page.locator("main").textContent();
    for (const said of [
      "What differs",
      "seed      1",
      "Mean and standard deviation over seeds",
      "0.505",
      "What the numbers cannot tell",
    ]) {
      expect(text).toContain(said);
    }
    expect(
      await page
        .locator(".picture img")
        .first()
        .evaluate((image) => (image as HTMLImageElement).naturalWidth),
    ).toBe(8);
    expect(await page.title()).toBe(evil);
    await page.locator("figure.chart svg").first().hover();
    expect(await page.locator(".tip").textContent()).toContain("steps");
    expect(await page.evaluate(() => "owned" in window)).toBe(false);
    expect(asked.filter((url) => !url.startsWith("file:") && !url.startsWith("data:"))).toEqual([]);
    expect(wrong).toEqual([]);
  });

  it("and watch say what is wrong with a path", async () => {
    for (const [args, said] of [
      [["report", "nowhere"], "nowhere does not exist"],
      [["report", "secret"], "secret is a file, not a folder"],
      [["watch", "nowhere"], "nowhere does not exist"],
      [["watch", "--port", "70000"], "70000"],
    ] as const) {
      const { code, stderr } = await mae([...args], { cwd: root });
      expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
    }
  });
});

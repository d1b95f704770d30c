/** The example page of an exported model, built by Vite, in headless Chromium: a picture is dropped on it, masked and completed. */

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { registry } from "../../blocks/index.js";
import { analyze, assemble, programOf } from "../../compiler/index.js";
import { openReconstructor } from "../../runtime/evaluate/reconstruct.js";
import { openExecutor, readCheckpoint, weightsFrom } from "../../runtime/index.js";
import { folder, mae } from "../cli/mae.js";
import { project, smallModel, smallRecipe } from "../cli/small.js";
import { openPage } from "./open-page.js";
import { findChromium } from "./software-device.js";

const browser = findChromium();
const source = fileURLToPath(new URL("../../examples/browser", import.meta.url));

/** All files below a folder, by their paths in it; the page itself under "". */
const filesIn = (root: string): Readonly<Record<string, Uint8Array>> =>
  Object.fromEntries(
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
      .map((name) => [name === "index.html" ? "" : name, readFileSync(join(root, name))]),
  );

/** The pixels of a canvas, rows of red, green and blue from 0 to 255. */
const pixelsOf = (page: Page, id: string): Promise<readonly number[]> =>
  page.evaluate((name) => {
    const canvas = document.getElementById(name) as HTMLCanvasElement;
    const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(
      0,
      0,
      canvas.width,
      canvas.height,
    );
    return [...data].filter((_, i) => i % 4 < 3);
  }, id);

describe.skipIf("missing" in browser)("an exported model in a page", () => {
  if ("missing" in browser) console.log(`an exported model in a page: skipped, ${browser.missing}`);
  const out = folder();
  let cwd = "";
  let opened: Awaited<ReturnType<typeof openPage>> | null = null;

  beforeAll(async () => {
    if ("missing" in browser) return;
    cwd = await project({ "small.mae": `edition 2026\n\n${smallModel}\n${smallRecipe(16, 4)}` });
    const env = { XDG_CACHE_HOME: folder() };
    const trained = await mae(["train", "small.mae", "--backend", "wasm", "--workers", "0", "--out", "run", "--json"], {
      cwd,
      env,
    });
    expect(trained.code, trained.stderr).toBe(0);
    const exported = await mae(["export", "run", "--to", "browser", "-o", "model"], { cwd });
    expect(exported.code, exported.stderr).toBe(0);
    process.env.MAE_MODEL = join(cwd, "model");
    await build({ root: source, build: { outDir: out, emptyOutDir: false }, logLevel: "error" });
    opened = await openPage(browser.found, filesIn(out), "?backend=wasm");
  });

  afterAll(async () => {
    delete process.env.MAE_MODEL;
    await opened?.close();
  });

  it("completes a picture that is dropped on it, as the model does in Node", async () => {
    const { page } = opened as NonNullable<typeof opened>;
    await page.waitForSelector('body[data-ready="wasm"]');
    await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(40, 30);
      const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
      const colours = context.createLinearGradient(0, 0, 40, 30);
      colours.addColorStop(0, "navy");
      colours.addColorStop(1, "orange");
      context.fillStyle = colours;
      context.fillRect(0, 0, 40, 30);
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([await canvas.convertToBlob()], "sky.png", { type: "image/png" }));
      document.getElementById("drop")?.dispatchEvent(new DragEvent("drop", { dataTransfer, cancelable: true }));
    });
    await page.waitForSelector('body[data-completed="1"]');
    const [input, masked, completed] = await Promise.all(
      ["input", "masked", "completed"].map((id) => pixelsOf(page, id)),
    );
    const isHidden = (i: number): boolean => {
      const pixel = i - (i % 3);
      return masked?.slice(pixel, pixel + 3).every((value) => value === 128) ?? false;
    };
    expect(input?.filter((_, i) => isHidden(i)).length).toBeGreaterThan(0.6 * 768);
    expect(completed?.filter((value, i) => !isHidden(i) && value !== input?.[i])).toEqual([]);

    const checkpoint = await readCheckpoint(join(cwd, "run/checkpoint-4.safetensors"), "weights");
    const { models } = analyze({ path: "spec.mae", text: checkpoint.spec }, { readText: () => null }, registry);
    const program = programOf(assemble(models.get("Small") as NonNullable<ReturnType<typeof models.get>>));
    const executor = await openExecutor("cpu");
    const trained = { program, weights: weightsFrom(checkpoint, program.parameters) };
    const reconstructor = await openReconstructor(trained, 1, { executor, colours: () => null, seed: 0 });
    const [first] = await reconstructor.run(
      { image: Float32Array.from(input ?? [], (value) => value / 255) },
      Int32Array.of(0),
    );
    await reconstructor.close();
    await executor.close();
    const expected = first?.reconstructions[0]?.pasted ?? new Float32Array();
    const worst = Math.max(...[...expected].map((value, i) => Math.abs(255 * value - (completed?.[i] as number))));
    // Colours of the dropped picture are not whole numbers before they are painted.
    expect(worst).toBeLessThan(3);
  });

  it("hides other patches when it is asked to, and says what it cannot show", async () => {
    const { page } = opened as NonNullable<typeof opened>;
    const before = await pixelsOf(page, "masked");
    await page.click("#again");
    await page.waitForSelector('body[data-completed="2"]');
    expect(await pixelsOf(page, "masked")).not.toEqual(before);
    await page.setInputFiles("#file", { name: "words.png", mimeType: "image/png", buffer: Buffer.from("no picture") });
    await page.waitForFunction(() =>
      document.getElementById("state")?.textContent?.includes("words.png could not be shown"),
    );
  });
});

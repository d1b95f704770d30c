/**
 * The site: every block, parameter and finding has its place on it, and the playground does in headless Chromium what it is for. That
 * no link leads nowhere is seen to where the site is built.
 */

import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { lints, registry } from "../../blocks/index.js";
import { emitModule } from "../../compiler/emit/index.js";
import { analyze, codes, plan } from "../../compiler/index.js";
import { runErrors, version } from "../../runtime/index.js";
import { maeHtml } from "../../site/mae-text.js";
import { written } from "../../site/markdown.js";
import { findChromium } from "../browser/software-device.js";
import { folder } from "../cli/mae.js";
import { builtSite, openPlayground } from "./built.js";

let files: ReturnType<typeof builtSite>;
beforeAll(() => {
  files = builtSite(folder());
});

const text = (path: string): string => Buffer.from(files[path] ?? []).toString("utf8");
const missing = (page: string, words: Iterable<string>): readonly string[] =>
  [...words].filter((word) => !text(page).includes(word));

describe("the pages", () => {
  const blocks = Object.entries(registry).flatMap(([kind, list]) => list.map((block) => [kind, block] as const));

  it("tell of every block and every parameter", () => {
    const linked = blocks.map(([kind, { name }]) => `href="${kind}/${name}.html"`);
    expect(missing("spec/blocks/index.html", linked)).toEqual([]);
    for (const [kind, { name, params }] of blocks) {
      expect(missing(`spec/blocks/${kind}/${name}.html`, [`<h1 id="${kind}${name}">`])).toEqual([]);
      expect(
        missing(
          "spec/blocks/parameters.html",
          Object.keys(params).map((param) => `<code>${param}</code>`),
        ),
      ).toEqual([]);
    }
  });

  it("tell of every finding, advice, condition of a block and error of a run", () => {
    const conditions = blocks.flatMap(([kind, { name, requires = [] }]) =>
      requires.map((one: { readonly name: string }) => `${kind}/${name}/${one.name}`),
    );
    const all = [...Object.keys(codes), ...lints.map(({ code }) => code), ...conditions, ...Object.keys(runErrors)];
    expect(
      missing(
        "spec/diagnostics/index.html",
        all.map((code) => `<code>${code}</code>`),
      ),
    ).toEqual([]);
  });

  it("lead from the front page to what the repository has", () => {
    expect(
      missing("index.html", ['href="docs/cli.html"', 'href="spec/index.html"', 'src="docs/pictures/digits.png"']),
    ).toEqual([]);
    expect(files["docs/pictures/digits.png"]).toEqual(readFileSync("docs/pictures/digits.png"));
  });
});

it("takes words of a spec for text, whatever they are", () => {
  const hostile = '<img src=x onerror="alert(1)"> <b>bold</b> `<i>` <br> <!-- said to nobody -->';
  expect(written(hostile, (href) => href).html).toBe(
    "<p>&lt;img src=x onerror=&quot;alert(1)&quot;&gt; &lt;b&gt;bold&lt;/b&gt; <code>&lt;i&gt;</code> <br> </p>\n",
  );
  expect(maeHtml(`model A { /// ${hostile}\n  data "${hostile}"`)).not.toMatch(/<(?!\/?span)/);
});

describe("the playground", () => {
  const browser = findChromium();
  if ("missing" in browser) {
    it.skip(`no browser: ${browser.missing}`, () => {});
    return;
  }
  const spec = readFileSync("examples/mae-base.mae", "utf8");
  const modelOf = (changed: string) => {
    const model = analyze({ path: "a.mae", text: changed }, { readText: () => null }, registry).models.get("MaeBase");
    if (!model) throw new Error("no model");
    return model;
  };
  const asked: string[] = [];
  let opened: Awaited<ReturnType<typeof openPlayground>>;
  beforeAll(async () => {
    opened = await openPlayground(browser.found, files, asked);
  });
  afterAll(() => opened?.close());

  const inView = () => opened.page.locator("#view");
  const findings = () => opened.page.locator("#findings li");
  const verdict = () => opened.page.locator("#verdict");
  /** Writes over a word of the editor, as a person does. */
  const replaceWord = async (word: string, written: string) => {
    await opened.page
      .locator(".cm-content span", { hasText: new RegExp(`^${word}$`) })
      .first()
      .dblclick();
    await opened.page.keyboard.type(written);
  };
  const until = (condition: () => Promise<boolean>) =>
    expect.poll(condition, { timeout: 60_000, interval: 50 }).toBe(true);
  const has = (words: string) => async () => (await inView().textContent())?.includes(words) === true;

  it("begins with a sound model and what it costs", async () => {
    expect(await verdict().textContent()).toBe("sound");
    const { parameters } = plan(modelOf(spec));
    expect(await inView().textContent()).toContain(`parameters${parameters.toLocaleString("en")}`);
  });

  it("shows a mistake as it is typed, and nothing once it is mended", async () => {
    await replaceWord("random", "randon");
    // Whoever looks elsewhere wants no list of words.
    await verdict().click();
    // The first letters alone are a mistake too.
    const said = "16:11 there is no block `randon` for `mask` check/unknown-block";
    await until(
      async () => (await findings().allTextContents()).map((text) => text.startsWith(said)).join() === "true",
    );
    expect(await findings().locator("a").getAttribute("href")).toBe("spec/diagnostics/check/unknown-block.html");
    expect([await verdict().textContent(), await opened.page.locator(".cm-lintRange-error").textContent()]).toEqual([
      "1 error, 0 remarks",
      "randon",
    ]);
    await opened.page.locator(".cm-lintRange-error").hover();
    await opened.page.locator(".cm-diagnosticAction", { hasText: "Write random" }).click();
    await until(async () => (await verdict().textContent()) === "sound");
    expect(await findings().count()).toBe(0);
  });

  it("emits the module that mae build emits, and another when a number changes", async () => {
    await opened.page.click("[data-view=code]");
    await until(has("pixels: 49 visible, 147 hidden"));
    expect(await inView().textContent()).toBe(await emitModule(modelOf(spec), version));
    await replaceWord("75", "50");
    await until(has("pixels: 98 visible, 98 hidden"));
    expect(await inView().textContent()).toBe(await emitModule(modelOf(spec.replace("75%", "50%")), version));
  });

  it("completes, explains, draws masks and writes the model out", async () => {
    await replaceWord("random", "spi");
    // A key would be taken for the text's where the list has only just opened.
    await opened.page.locator(".cm-tooltip-autocomplete li", { hasText: "spiral" }).click();
    await opened.page.click("[data-view=mask]");
    await until(has("98 of 196 tokens are visible"));
    expect(await inView().locator("svg").count()).toBe(6);
    expect(await inView().locator("svg").first().locator(".visible").count()).toBe(98);
    await opened.page.click("[data-view=model]");
    await until(has("spiral("));
    await opened.page.locator(".cm-content span", { hasText: /^spiral$/ }).hover();
    await opened.page.locator(".explanation h3", { hasText: "mask/spiral" }).waitFor();
  });

  it("opens examples that import others, and loads nothing from elsewhere", async () => {
    await opened.page.selectOption("#example", "mask-study.mae");
    await until(async () => (await opened.page.locator("#subject option").count()) > 10);
    expect(await verdict().textContent()).toBe("sound");
    const origin = new URL(opened.page.url()).origin;
    expect(asked.length).toBeGreaterThan(5);
    expect(asked.filter((address) => new URL(address).origin !== origin)).toEqual([]);
  });
});

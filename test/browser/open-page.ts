/** A page in headless Chromium whose graphics are computed on the processor, with files beside it. */

import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { chromium, type Page } from "playwright-core";
import type { Browser } from "./software-device.js";

const types: Readonly<Record<string, string>> = {
  css: "text/css",
  html: "text/html",
  json: "application/json",
  svg: "image/svg+xml",
  js: "text/javascript",
  wasm: "application/wasm",
};

/**
 * Opens a page with one script.
 * @param files by name: `page.js`, the script, and what it fetches; a page of its own has the name ""
 * @param query what stands behind its address
 */
export async function openPage(
  { executable, environment }: Browser,
  files: Readonly<Record<string, string | Uint8Array>>,
  query = "",
): Promise<{ readonly page: Page; readonly close: () => Promise<void> }> {
  const all = { "": '<!doctype html><script type="module" src="/page.js"></script>', ...files };
  const server = createServer((request, response) => {
    const name = (request.url ?? "").slice(1).replace(/\?.*$/, "");
    const content = Object.hasOwn(all, name) ? all[name as keyof typeof all] : undefined;
    const ending = name === "" ? "html" : name.slice(name.lastIndexOf(".") + 1);
    response.writeHead(content === undefined ? 404 : 200, {
      "content-type": types[ending] ?? "application/octet-stream",
    });
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const browser = await chromium.launch({
    executablePath: executable,
    env: { ...process.env, ...environment } as Record<string, string>,
    args: [
      "--no-sandbox",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
    ],
  });
  const page = await browser.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${query}`);
  return {
    page,
    close: async () => {
      await browser.close();
      server.close();
    },
  };
}

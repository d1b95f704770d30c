/** Writes the whole site into a folder: pages from Markdown and definitions, and the playground. A link that leads nowhere is an error. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { build, type Plugin } from "esbuild";
import { version } from "../runtime/index.js";
import { brokenLinks, examples, readPages, sections } from "./pages.js";
import { playground } from "./playground/page.js";
import { framed } from "./shell.js";

const [folder = "build/site"] = process.argv.slice(2);

function write(path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

/** What emission formats with has no plugins of its own in browsers. */
const formatterOfBrowsers: Plugin = {
  name: "formatter",
  setup({ onResolve }) {
    onResolve({ filter: /^prettier$/ }, () => ({ path: resolve("site/playground/prettier.ts") }));
  },
};

const all = readPages();
const broken = brokenLinks(all);
if (broken.length > 0) {
  console.error(`Links that lead nowhere:\n${broken.map((line) => `  ${line}`).join("\n")}`);
  process.exit(1);
}

// What stands in the folder is deleted, so it must be a site.
if (existsSync(folder) && readdirSync(folder).length > 0 && !existsSync(join(folder, "play/examples.json"))) {
  console.error(`${folder} holds files that are no site; name a new or an empty folder`);
  process.exit(1);
}

rmSync(folder, { recursive: true, force: true });
const sidebar = sections(all.pages);
for (const page of all.pages) {
  write(page.file, framed({ ...page, main: `<article>${page.html}</article>` }, sidebar));
}
write("play.html", framed(playground, sidebar));
for (const path of all.assets) cpSync(path, join(folder, path), { recursive: true });
for (const name of ["style.css", "page.js", "icon.svg"]) cpSync(`site/${name}`, join(folder, name));
cpSync("site/playground/play.css", join(folder, "play.css"));
const texts = examples().map((name) => [name, readFileSync(`examples/${name}`, "utf8")]);
write("play/examples.json", JSON.stringify(Object.fromEntries(texts)));
await build({
  entryPoints: { play: "site/playground/main.ts" },
  outdir: join(folder, "play"),
  bundle: true,
  splitting: true,
  minify: true,
  keepNames: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  legalComments: "linked",
  plugins: [formatterOfBrowsers],
  define: { MAE_VERSION: JSON.stringify(version) },
  logLevel: "warning",
});
console.log(`${all.pages.length + 1} pages written to ${folder}`);

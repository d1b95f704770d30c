/**
 * Packs the extension for VS Code, `editor/vscode/`, with the built language server, as `build/maelang.vsix`. The file is a zip archive of
 * the form that VS Code installs: a manifest in XML, the types of its files, and the extension's folder.
 */

import { createWriteStream, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { finished } from "node:stream/promises";
import { build } from "esbuild";
import { ZipFile } from "yazl";

const from = "editor/vscode";
const out = process.argv[2] ?? "build/maelang.vsix";
const { version, license } = JSON.parse(readFileSync("package.json", "utf8"));
const extension = { ...JSON.parse(readFileSync(join(from, "package.json"), "utf8")), version };

const xml = (text) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const asset = (type, path) =>
  `    <Asset Type="Microsoft.VisualStudio.${type}" Path="extension/${path}" Addressable="true" />`;
const property = (id, value) => `      <Property Id="Microsoft.VisualStudio.Code.${id}" Value="${xml(value)}" />`;

const manifest = `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${extension.name}" Version="${version}" Publisher="${extension.publisher}" />
    <DisplayName>${xml(extension.displayName)}</DisplayName>
    <Description xml:space="preserve">${xml(extension.description)}</Description>
    <Tags>${xml([...extension.keywords, "mae", "__ext_mae"].join(","))}</Tags>
    <Categories>${xml(extension.categories.join(","))}</Categories>
    <GalleryFlags>Public</GalleryFlags>
    <Properties>
${property("Engine", extension.engines.vscode)}
${property("ExtensionDependencies", "")}
${property("ExtensionPack", "")}
${property("ExtensionKind", extension.extensionKind.join(","))}
    </Properties>
    <License>extension/LICENSE.txt</License>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code" />
  </Installation>
  <Dependencies />
  <Assets>
${asset("Code.Manifest", "package.json")}
${asset("Services.Content.Details", "README.md")}
${asset("Services.Content.License", "LICENSE.txt")}
  </Assets>
</PackageManifest>
`;

const contentTypes = {
  cjs: "text/javascript",
  js: "text/javascript",
  json: "application/json",
  md: "text/markdown",
  txt: "text/plain",
};
const defaults = Object.entries({ ...contentTypes, vsixmanifest: "text/xml" })
  .map(([suffix, type]) => `  <Default Extension=".${suffix}" ContentType="${type}" />`)
  .join("\n");
const types = `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
${defaults}
</Types>
`;

const [bundle] = (
  await build({
    entryPoints: [join(from, "extension.ts")],
    bundle: true,
    write: false,
    format: "cjs",
    platform: "node",
    target: "node20",
    external: ["vscode"],
    minify: true,
    legalComments: "inline",
  })
).outputFiles;

const zip = new ZipFile();
// The same files give the same archive.
const options = { mtime: new Date(2000, 0, 1), mode: 0o100644 };
const text = (path, content) => zip.addBuffer(Buffer.from(content), path, options);
const file = (path, name) => zip.addFile(path, `extension/${name}`, options);
text("extension.vsixmanifest", manifest);
text("[Content_Types].xml", types);
text("extension/package.json", `${JSON.stringify(extension, null, 2)}\n`);
text("extension/extension.cjs", bundle.text);
for (const name of ["README.md", "language-configuration.json", "snippets/mae.json", "syntaxes/mae.tmLanguage.json"]) {
  file(join(from, name), name);
}
file("LICENSE", "LICENSE.txt");
// The server looks for its version in the package around it.
text("extension/server/package.json", `${JSON.stringify({ name: "maelang", version, license, type: "module" })}\n`);
for (const name of readdirSync("dist").filter((one) => /\.(?:js|txt)$/.test(one))) {
  file(join("dist", name), `server/dist/${name}`);
}
zip.end();
mkdirSync(join(out, ".."), { recursive: true });
await finished(zip.outputStream.pipe(createWriteStream(out)));

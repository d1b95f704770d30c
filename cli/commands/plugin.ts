/** `mae plugin`: libraries by which the backend xla reaches processors and accelerators, fetched when they are asked for. */

import { printedPath } from "../specs/files.js";
import { inColumns } from "../words/columns.js";
import { usageFailure } from "../words/failure.js";
import { didYouMean } from "../words/nearest.js";
import { createStages } from "../words/progress.js";
import { print, printJson, tell } from "../words/terminal.js";

export interface PluginOptions {
  readonly json?: boolean;
}

export async function plugin(action: "list" | "add", name: string | undefined, options: PluginOptions): Promise<void> {
  if (action === "list") {
    if (name !== undefined) throw usageFailure("`list` takes no name", { help: `to fetch it: mae plugin add ${name}` });
    return listPlugins(options);
  }
  if (name === undefined) throw usageFailure("`add` fetches one plugin", { help: "name it: mae plugin lists them" });
  return addPlugin(name, options);
}

async function addPlugin(name: string, options: PluginOptions): Promise<void> {
  const { fetchPlugin, knownPlugins } = await import("../../runtime/index.js");
  const known = Object.hasOwn(knownPlugins, name) ? knownPlugins[name] : undefined;
  if (!known) {
    throw usageFailure(`there is no plugin called ${JSON.stringify(name)}`, {
      help: didYouMean(name, Object.keys(knownPlugins)) ?? `there are ${Object.keys(knownPlugins).join(", ")}`,
    });
  }
  const stages = createStages();
  const mebi = (bytes: number): number => Math.round(bytes / 2 ** 20);
  const path = await fetchPlugin(name, (done, total) =>
    stages.show({ stage: "MiB", done: mebi(done), total: total === null ? null : mebi(total) }),
  ).finally(() => stages.end());
  if (options.json) {
    printJson({ format_version: "1.0", plugin: name, package: known.package, version: known.version, path });
    return;
  }
  tell(`${known.package} ${known.version}, for ${known.for}; it needs ${known.needs}. \`mae doctor\` tries it.`);
  print(`${printedPath(path)}\n`);
}

async function listPlugins(options: PluginOptions): Promise<void> {
  const { fetchedPlugins, findPlugin, knownPlugins } = await import("../../runtime/index.js");
  const here = fetchedPlugins();
  const found = findPlugin();
  const plugins = Object.entries(knownPlugins).map(([name, { for: target, package: from, version, wheels }]) => ({
    ...{ name, for: target, package: from, version },
    platforms: Object.keys(wheels),
    fetched: here.includes(name),
  }));
  if (options.json) {
    printJson({ format_version: "1.0", plugins, used: found });
    return;
  }
  const rows = plugins.map((one) => [
    one.fetched ? "✓" : "–",
    one.name,
    one.for,
    `${one.package} ${one.version}`,
    one.platforms.join(", "),
  ]);
  const used = found
    ? `\nused: ${printedPath(found.path)} (${found.from})`
    : "\nnone is used: mae plugin add NAME fetches one";
  print(`${inColumns(rows, () => true).join("\n")}\n${used}\n`);
}

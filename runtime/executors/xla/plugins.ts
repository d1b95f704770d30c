/** Where PJRT plugins are found: named by a variable, fetched by `mae plugin add`, or installed into a Python environment. */

import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/** A plugin's library on this machine. */
export interface FoundPlugin {
  readonly path: string;
  /** How it was found, in words. */
  readonly from: string;
}

export const pluginVariable = "MAE_PJRT_PLUGIN";

/** The folder of plugins that were fetched: each has a folder of its name, with one library in it. */
export const pluginsFolder = (): string =>
  join(process.env.XDG_DATA_HOME || join(homedir(), ".local", "share"), "maelang", "plugins");

/** Libraries in Python packages, by their folder and file, those of accelerators first. */
const inPython = [
  ["jax_plugins/xla_cuda13", "xla_cuda_plugin.so"],
  ["jax_plugins/xla_cuda12", "xla_cuda_plugin.so"],
  ["jax_plugins/xla_rocm7", "xla_rocm_plugin.so"],
  ["jax_plugins/xla_oneapi", "pjrt_plugin_xla_oneapi.so"],
  ["libtpu", "libtpu.so"],
  ["lammps_jax_pjrt_cpu", "pjrt_c_api_cpu_plugin.so"],
] as const;

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
};

/** Names of the plugins that were fetched; a hidden folder is one that is being fetched. */
export const fetchedPlugins = (): readonly string[] => namesIn(pluginsFolder()).filter((name) => !name.startsWith("."));

export const isLibrary = (name: string): boolean => /\.(so|dylib|dll)$/.test(name);

/** The first plugin there is; null: none. What the variable names is not looked for elsewhere. */
export function findPlugin(): FoundPlugin | null {
  const named = process.env[pluginVariable];
  if (named) return { path: named, from: pluginVariable };
  const folder = pluginsFolder();
  // `cpu` last: an accelerator is wanted before it.
  for (const name of [...fetchedPlugins()].sort((a, b) => Number(a === "cpu") - Number(b === "cpu"))) {
    const library = namesIn(join(folder, name)).find(isLibrary);
    if (library) return { path: join(folder, name, library), from: `mae plugin add ${name}` };
  }
  const environment = process.env.VIRTUAL_ENV;
  if (!environment) return null;
  for (const version of namesIn(join(environment, "lib"))) {
    for (const [place, file] of inPython) {
      const path = join(environment, "lib", version, "site-packages", place, file);
      if (existsSync(path)) return { path, from: environment };
    }
  }
  return null;
}

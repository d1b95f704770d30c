/**
 * Fetches a PJRT plugin: a wheel of the Python Package Index at a version and checksum that are written down here, of which the one library is
 * unpacked. Nothing of it is run, and Python is not needed.
 */

import { createHash } from "node:crypto";
import { createWriteStream, mkdirSync, renameSync, rmSync } from "node:fs";
import { basename, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Entry, openPromise, type ZipFile } from "yauzl";
import { RunError } from "../../run-error.js";
import { isLibrary, pluginsFolder } from "./plugins.js";

/** A plugin that can be fetched. */
export interface KnownPlugin {
  readonly for: string;
  /** On the Python Package Index. */
  readonly package: string;
  readonly version: string;
  /** What it needs beside it, in words. */
  readonly needs: string;
  /** SHA-256 of its wheels, by platform and architecture as Node names them. */
  readonly wheels: Readonly<Record<string, string>>;
}

const cuda = (major: number, wheels: KnownPlugin["wheels"]): KnownPlugin => ({
  for: `NVIDIA GPUs, with CUDA ${major}`,
  package: `jax-cuda${major}-pjrt`,
  version: "0.12.0.1",
  needs: `the driver of the card, and the libraries of CUDA ${major} with cuDNN where the system finds them`,
  wheels,
});

export const knownPlugins: Readonly<Record<string, KnownPlugin>> = {
  cpu: {
    for: "processors",
    package: "lammps-jax-pjrt-cpu",
    version: "0.11.2",
    needs: "nothing",
    wheels: { "linux x64": "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1" },
  },
  cuda13: cuda(13, {
    "linux x64": "5899bb6177eda86ea532afb9a26794f2bdd04966f6a01f9028266b16c2b6cf90",
    "linux arm64": "40758d042df8c06991b6a1a8016b56e9cefb1ed4c677c062125c3eb71c3dab97",
  }),
  cuda12: cuda(12, {
    "linux x64": "5ec28e06198d094031c37590b4ea753ae8cde4879ab4b60baf40f0dffb673286",
    "linux arm64": "e6aa6c58c5420c1bda22db31a2f6c5c1d0a66cb701eeb731feae44fef197717c",
  }),
  rocm7: {
    for: "AMD GPUs, with ROCm 7",
    package: "jax-rocm7-pjrt",
    version: "0.12.0",
    needs: "ROCm 7",
    wheels: { "linux x64": "4551d0714523355f2946ca1958c3f584e95661e467a641d36b726f718a1c7934" },
  },
};

const index = "https://pypi.org/simple";

/** A file of the index, as far as it is read. */
interface IndexFile {
  readonly url: string;
  readonly size: number | null;
  readonly hashes: Readonly<Record<string, string>>;
}

const notFetched = (name: string, why: string): RunError =>
  new RunError("run/plugin-not-fetched", {
    what: `The plugin ${name} was not fetched`,
    why,
    help: "Try again with a connection to pypi.org and files.pythonhosted.org, or fetch the wheel elsewhere, unpack it (it is a zip) and name its library in MAE_PJRT_PLUGIN.",
  });

/** Largest library that is unpacked. */
const mostBytes = 2 ** 31;

/**
 * Fetches a plugin into the folder where it is looked for, in the place of an earlier one.
 * @param tick is told how many bytes are there, of how many; null: nobody says.
 * @returns the path of the library
 * @throws RunError `run/plugin-not-fetched`
 */
export async function fetchPlugin(name: string, tick: (done: number, total: number | null) => void): Promise<string> {
  const plugin = knownPlugins[name];
  const checksum = plugin?.wheels[`${process.platform} ${process.arch}`];
  if (!plugin || checksum === undefined) {
    throw notFetched(name, `there is none for ${process.platform} on ${process.arch}`);
  }
  const parent = pluginsFolder();
  const [next, folder] = [join(parent, `.${name}-${process.pid}`), join(parent, name)];
  try {
    mkdirSync(next, { recursive: true });
    const wheel = join(next, "plugin.whl");
    await download(await fileWith(plugin, checksum), wheel, checksum, tick);
    const library = await unpacked(wheel, next);
    rmSync(wheel);
    rmSync(folder, { recursive: true, force: true });
    renameSync(next, folder);
    return join(folder, library);
  } catch (error) {
    throw error instanceof RunError ? error : notFetched(name, (error as Error).message);
  } finally {
    rmSync(next, { recursive: true, force: true });
  }
}

async function fileWith(plugin: KnownPlugin, checksum: string): Promise<IndexFile> {
  const headers = { Accept: "application/vnd.pypi.simple.v1+json" };
  const answer = await fetch(`${index}/${plugin.package}/`, { headers });
  if (!answer.ok) throw new Error(`the index answered ${answer.status}`);
  const { files } = (await answer.json()) as { readonly files: readonly IndexFile[] };
  const file = files.find(({ hashes }) => hashes.sha256 === checksum);
  if (!file) throw new Error(`${plugin.package} ${plugin.version} is no longer there with the checksum that is known`);
  return file;
}

async function download(
  { url, size }: IndexFile,
  path: string,
  checksum: string,
  tick: (done: number, total: number | null) => void,
): Promise<void> {
  const answer = await fetch(url);
  if (!answer.ok || !answer.body) throw new Error(`${new URL(url).host} answered ${answer.status}`);
  const hash = createHash("sha256");
  let done = 0;
  const counted = new Transform({
    transform(chunk: Buffer, _, pass) {
      hash.update(chunk);
      done += chunk.length;
      tick(done, size);
      pass(null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(answer.body as never), counted, createWriteStream(path));
  if (hash.digest("hex") !== checksum) throw new Error("what came has another checksum than the one that is known");
}

/** Writes the largest library in a wheel beside it, and gives its name. */
async function unpacked(wheel: string, folder: string): Promise<string> {
  const zip: ZipFile = await openPromise(wheel, { lazyEntries: true, autoClose: false });
  try {
    let largest: Entry | null = null;
    for await (const entry of zip.eachEntry()) {
      if (isLibrary(entry.fileName) && entry.uncompressedSize > (largest?.uncompressedSize ?? 0)) largest = entry;
    }
    if (!largest || largest.uncompressedSize > mostBytes) throw new Error("there is no library in its wheel");
    const name = basename(largest.fileName);
    await pipeline(await zip.openReadStreamPromise(largest), createWriteStream(join(folder, name)));
    return name;
  } finally {
    zip.close();
  }
}

/** A page that checks specs, and computes features of an image with the weights of a checkpoint. */

import {
  analyze,
  assemble,
  type BrowserBackend,
  checkpointFromBytes,
  encoderReader,
  arrayOf,
  openInBrowser,
  programOf,
  registry,
  weightsFrom,
} from "maelang/browser";

declare global {
  /** The codes of what is wrong with a spec. */
  var mistakes: (spec: string) => readonly string[];
  /** The mean of the patches' tokens of an image that counts up, from the checkpoint that lies beside the page. */
  var features: (backend: BrowserBackend) => Promise<readonly number[]>;
}

const check = (text: string) => analyze({ path: "page.mae", text }, { readText: () => null }, registry);

globalThis.mistakes = (spec) => check(spec).diagnostics.map(({ code }) => code);

globalThis.features = async (backend) => {
  const response = await fetch("/checkpoint.safetensors");
  const checkpoint = checkpointFromBytes(new Uint8Array(await response.arrayBuffer()));
  const model = check(checkpoint.spec).models.get(checkpoint.program);
  if (!model) throw new Error(`no model ${checkpoint.program}`);
  const program = programOf(assemble(model));
  const weights = weightsFrom(checkpoint, program.parameters);
  const executor = await openInBrowser(backend, "/");
  const reader = await encoderReader({ program, weights }, executor, [{ pool: "mean", layer: "last" }], 1);
  const { name, shape } = arrayOf(program);
  const size = shape.axes.reduce((product, axis) => product * axis.size, shape.channels);
  const image = Float32Array.from({ length: size }, (_, i) => i / size);
  const [values] = await reader.read({ arrays: { [name]: image }, labels: new Int32Array(1), count: 1 });
  await reader.close();
  await executor.close();
  return [...(values ?? [])];
};

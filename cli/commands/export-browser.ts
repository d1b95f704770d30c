/** `mae export --to browser`: a trained model with its weights as a package that a web page imports; it needs no other package. */

import { copyFileSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { isPicture, namedParameters } from "../../blocks/index.js";
import { runProject } from "../config/index.js";
import { packageRoot, packageVersion } from "../package-root.js";
import type { OpenCheckpoint } from "../runs/open-checkpoint.js";
import { checkOutput, replaceFile, unwritable } from "../specs/files.js";
import { runFailure } from "../words/failure.js";

/** What a package consists of, beside what it copies from ours. */
const weightsFile = "weights.safetensors";
const wasmFiles = ["tfjs-backend-wasm.wasm", "tfjs-backend-wasm-simd.wasm", "tfjs-backend-wasm-threaded-simd.wasm"];
const written = ["package.json", "index.js", "index.d.ts", "README.md", "program.ts", weightsFile] as const;

/** Writes the package. Throws a `Failure` for a model that a page cannot run. Gives the files that people may look at. */
export async function exportPackage(
  trained: OpenCheckpoint,
  folder: string,
  { force }: { readonly force: boolean },
): Promise<readonly string[]> {
  const { program, model, recipe, weights, step, spec, vocabulary } = trained;
  if (existsSync(folder)) for (const name of written) checkOutput(join(folder, name), force);
  const shapes = Object.values(program.arrays);
  if (shapes.length > 1 || !shapes.every(isPicture)) {
    throw runFailure(`${model.name} does not read one picture`, {
      reason: "The package takes pictures that are dropped on a page.",
      help: "export it as ONNX (--to onnx), which onnxruntime-web runs",
    });
  }
  if (runProject(model, recipe, vocabulary)) {
    throw runFailure(`${model.name} uses blocks of its project`, {
      reason: "A page puts the model together from its spec, and has the blocks of this package alone.",
      help: "export it as ONNX (--to onnx), which holds what its blocks compute",
    });
  }
  const [{ emitModule }, { checkpointMetadata, writeTensorFile }] = await Promise.all([
    import("../../compiler/emit/index.js"),
    import("../../runtime/index.js"),
  ]);
  copyOurs(folder);
  const tensors = [...namedParameters(program.parameters)].map(([name, { shape }]) => ({
    name,
    shape: shape.map(Number),
    values: weights[name] as Float32Array,
  }));
  const facts = {
    program: program.name,
    step,
    seed: 0,
    spec,
    cursor: { epoch: 0, batch: 0, samples: 0, batchSize: 0 },
  };
  await writeTensorFile(join(folder, weightsFile), tensors, checkpointMetadata(facts));
  const texts: Readonly<Record<string, string>> = {
    "package.json": manifest(model.name),
    "index.js": door,
    "index.d.ts": types,
    "README.md": readme(trained),
    "program.ts": await emitModule(model, packageVersion()),
  };
  for (const [name, text] of Object.entries(texts)) replaceFile(join(folder, name), text);
  return written.map((name) => join(folder, name));
}

/** The code of a page and the binaries of its WebAssembly backend. */
function copyOurs(folder: string): void {
  try {
    for (const part of ["lib", "wasm"]) mkdirSync(join(folder, part), { recursive: true });
    const code = join(packageRoot(), "dist/page");
    for (const name of readdirSync(code)) copyFileSync(join(code, name), join(folder, "lib", name));
    for (const name of wasmFiles) copyFileSync(join(packageRoot(), "dist/wasm", name), join(folder, "wasm", name));
  } catch (error) {
    throw unwritable(folder, error);
  }
}

const manifest = (model: string): string =>
  `${JSON.stringify(
    {
      name: model.replace(/(?<=[a-z0-9])(?=[A-Z])/g, "-").toLowerCase(),
      version: "1.0.0",
      type: "module",
      exports: { ".": { types: "./index.d.ts", default: "./index.js" } },
      sideEffects: false,
    },
    null,
    2,
  )}\n`;

/** Addresses are written as bundlers know them: each file by its name. */
const door = `import { openPackage } from "./lib/model.js";

const files = {
  weights: new URL("./${weightsFile}", import.meta.url).href,
  wasm: {
${wasmFiles.map((name) => `    "${name}": new URL("./wasm/${name}", import.meta.url).href,`).join("\n")}
  },
};

/** Opens the model on the best backend of the browser, or on the one that is named. */
export const open = (options) => openPackage(files, options);
`;

const types = `export type Backend = "webgpu" | "webgl" | "wasm" | "cpu";

/** Rows of pixels, the channel fastest, values from 0 to 1. */
export interface Picture {
  readonly input: Float32Array;
  /** What the model predicts of every patch. */
  readonly output: Float32Array;
  /** The prediction where patches are hidden, the input where they are visible. */
  readonly completed: Float32Array;
  /** For each pixel 1 where it is hidden from the model. */
  readonly hidden: Uint8Array;
}

export interface Model {
  readonly name: string;
  readonly backend: Backend;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** null: it tells no classes apart. */
  readonly classes: number | null;
  /** A picture of any size as the model takes it. */
  pixelsOf(picture: Blob | ImageBitmapSource): Promise<Float32Array>;
  /** Hides patches and completes them; \`draw\` chooses among the masks that may be drawn. */
  reconstruct(pixels: Float32Array, draw?: number): Promise<Picture>;
  /** The mean of the features of the patches. */
  encode(pixels: Float32Array): Promise<Float32Array>;
  /** Probabilities of the classes. */
  classify(pixels: Float32Array): Promise<Float32Array>;
  /** Paints pixels into a canvas, hidden ones grey where a mask is given. */
  paint(canvas: HTMLCanvasElement, pixels: Float32Array, hidden?: Uint8Array): void;
  close(): Promise<void>;
}

export declare function open(options?: { readonly backend?: Backend }): Promise<Model>;
`;

const readme = ({ model, step, spec, program }: OpenCheckpoint): string => `# ${model.name}

${model.doc === "" ? "" : `${model.doc}\n\n`}Trained for ${step} steps with Maelang ${packageVersion()}. This folder is a package for web pages: weights, code and all that it needs; it
computes in the browser, on WebGPU, WebGL or WebAssembly, and sends nothing anywhere.

\`\`\`js
import { open } from "./${model.name}/index.js";

const model = await open();
const pixels = await model.pixelsOf(file);
${program.classes === undefined ? "const { completed, hidden } = await model.reconstruct(pixels);\nmodel.paint(canvas, completed);" : "const probabilities = await model.classify(pixels);"}
\`\`\`

Any server of files does, and any bundler. \`program.ts\` is the model for people to read; a page puts it together from the spec in the
weights' file:

\`\`\`mae
${spec.trim()}
\`\`\`
`;

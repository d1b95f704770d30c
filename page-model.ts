/**
 * A trained model in a web page, as `mae export --to browser` packs it: weights and spec from one file, an executor of the browser's, and
 * what the model makes of a picture. Needs nothing of Node.
 */

import { type ArrayShape, type ModelProgram, registry } from "./blocks/index.js";
import { analyze, assemble, programOf, type Recipe, trainingOf } from "./compiler/index.js";
import {
  type BrowserBackend,
  type ColourScale,
  checkpointFromBytes,
  colourScale,
  type Executor,
  encoderReader,
  listInBrowser,
  openInBrowser,
  openReconstructor,
  predictionReader,
  type Reconstructor,
  weightsFrom,
} from "./runtime/browser.js";

/** Where the files of the package lie, as the bundler of a page names them. */
export interface PackageFiles {
  readonly weights: string;
  /** Addresses of the .wasm files, by name. */
  readonly wasm: Readonly<Record<string, string>>;
}

export interface OpenOptions {
  /** If absent, the best that the browser has. */
  readonly backend?: BrowserBackend;
}

/** Pictures are rows of pixels, the channel fastest, values from 0 to 1. */
export interface PagePicture {
  readonly input: Float32Array;
  /** What the model predicts of every patch. */
  readonly output: Float32Array;
  /** The prediction where patches are hidden, the input where they are visible. */
  readonly completed: Float32Array;
  /** For each pixel 1 where it is hidden from the model. */
  readonly hidden: Uint8Array;
}

export interface PageModel {
  readonly name: string;
  readonly backend: BrowserBackend;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  /** null: it tells no classes apart. */
  readonly classes: number | null;
  /** A picture of any size as the model takes it: its largest part of that shape, made as large, grey where there is one channel. */
  readonly pixelsOf: (picture: Blob | ImageBitmapSource) => Promise<Float32Array>;
  /** Hides patches and completes them. `draw`: which of the masks that may be drawn. */
  readonly reconstruct: (pixels: Float32Array, draw?: number) => Promise<PagePicture>;
  /** The mean of the features of the patches. */
  readonly encode: (pixels: Float32Array) => Promise<Float32Array>;
  /** Probabilities of the classes. */
  readonly classify: (pixels: Float32Array) => Promise<Float32Array>;
  /** Paints pixels into a canvas, which takes their size; hidden ones grey where a mask is given. */
  readonly paint: (canvas: HTMLCanvasElement, pixels: Float32Array, hidden?: Uint8Array) => void;
  readonly close: () => Promise<void>;
}

/** Opens the model of a package. Throws a `RunError` where its files cannot be read or the browser lacks what it needs. */
export async function openPackage(files: PackageFiles, { backend }: OpenOptions = {}): Promise<PageModel> {
  const response = await fetch(files.weights);
  if (!response.ok) throw new Error(`${files.weights}: ${response.status} ${response.statusText}`);
  const checkpoint = checkpointFromBytes(new Uint8Array(await response.arrayBuffer()), files.weights);
  const { models, recipes } = analyze({ path: "spec.mae", text: checkpoint.spec }, { readText: () => null }, registry);
  const model = models.get(checkpoint.program);
  const [recipe] = recipes.values();
  if (!model || !recipe) throw new Error(`the spec in ${files.weights} is not one that this package reads`);
  const program = programOf(assemble(model));
  const [chosen = "cpu"] = backend ? [backend] : await listInBrowser();
  const executor = await openInBrowser(chosen, files.wasm);
  return new OpenModel(program, weightsFrom(checkpoint, program.parameters), executor, chosen, recipe);
}

class OpenModel implements PageModel {
  readonly #array: string;
  readonly #scale: ColourScale | null;
  #reconstructor: Promise<Reconstructor> | null = null;

  constructor(
    readonly program: ModelProgram,
    readonly weights: Readonly<Record<string, Float32Array>>,
    readonly executor: Executor,
    readonly backend: BrowserBackend,
    recipe: Recipe,
  ) {
    [this.#array = ""] = Object.keys(program.arrays);
    this.#scale = colourScale(trainingOf(recipe).augment, this.#shape);
  }

  get #shape(): ArrayShape {
    return this.program.arrays[this.#array] as ArrayShape;
  }

  get name(): string {
    return this.program.name;
  }

  get height(): number {
    return this.#shape.axes[0]?.size ?? 0;
  }

  get width(): number {
    return this.#shape.axes[1]?.size ?? 0;
  }

  get channels(): number {
    return this.#shape.channels;
  }

  get classes(): number | null {
    return this.program.classes ?? null;
  }

  pixelsOf = async (picture: Blob | ImageBitmapSource): Promise<Float32Array> => {
    const bitmap = await createImageBitmap(picture);
    const { height, width, channels } = this;
    const scale = Math.min(bitmap.width / width, bitmap.height / height);
    const [cutWidth, cutHeight] = [width * scale, height * scale];
    const context = contextOf(new OffscreenCanvas(width, height));
    context.imageSmoothingQuality = "high";
    const [left, top] = [(bitmap.width - cutWidth) / 2, (bitmap.height - cutHeight) / 2];
    context.drawImage(bitmap, left, top, cutWidth, cutHeight, 0, 0, width, height);
    const { data } = context.getImageData(0, 0, width, height);
    const pixels = new Float32Array(width * height * channels);
    for (let i = 0; i < width * height; i++) {
      const colour = [0, 1, 2].map((c) => (data[4 * i + c] as number) / 255) as [number, number, number];
      if (channels === 1) pixels[i] = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
      else for (let c = 0; c < channels; c++) pixels[channels * i + c] = colour[c % 3] as number;
    }
    return pixels;
  };

  reconstruct = async (pixels: Float32Array, draw = 0): Promise<PagePicture> => {
    const options = { executor: this.executor, colours: () => this.#scale, seed: 0 };
    this.#reconstructor ??= openReconstructor(this, 1, options);
    const reconstructor = await this.#reconstructor;
    const [first] = await reconstructor.run({ [this.#array]: this.#seen(pixels) }, Int32Array.of(draw));
    const { input, output, pasted, hidden } = (first as NonNullable<typeof first>).reconstructions[0] as NonNullable<
      (typeof first & object)["reconstructions"][0]
    >;
    return { input, output, completed: pasted, hidden };
  };

  encode = async (pixels: Float32Array): Promise<Float32Array> => {
    const reader = await encoderReader(this, this.executor, [{ pool: "mean", layer: "last" }], 1);
    return this.#read(reader, pixels);
  };

  classify = async (pixels: Float32Array): Promise<Float32Array> => {
    const logits = await this.#read(await predictionReader(this, this.executor, 1), pixels);
    const most = Math.max(...logits);
    const shares = logits.map((logit) => Math.exp(logit - most));
    const sum = shares.reduce((all, share) => all + share, 0);
    return shares.map((share) => share / sum);
  };

  paint = (canvas: HTMLCanvasElement, pixels: Float32Array, hidden?: Uint8Array): void => {
    const { height, width, channels } = this;
    Object.assign(canvas, { height, width });
    const context = canvas.getContext("2d") as CanvasRenderingContext2D;
    const image = context.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      for (let c = 0; c < 3; c++) {
        const value = hidden?.[i] === 1 ? 0.5 : (pixels[channels * i + (c % channels)] as number);
        image.data[4 * i + c] = Math.round(255 * Math.min(1, Math.max(0, value)));
      }
      image.data[4 * i + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  };

  close = async (): Promise<void> => {
    await (await this.#reconstructor)?.close();
    await this.executor.close();
  };

  async #read(reader: Awaited<ReturnType<typeof encoderReader>>, pixels: Float32Array): Promise<Float32Array> {
    try {
      const arrays = { [this.#array]: this.#seen(pixels) };
      const [values] = await reader.read({ arrays, labels: new Int32Array(1), count: 1 });
      return values as Float32Array;
    } finally {
      await reader.close();
    }
  }

  /** As the model sees pixels: by the recipe's normalisation. */
  #seen(pixels: Float32Array): Float32Array {
    const size = this.height * this.width * this.channels;
    if (pixels.length !== size) throw new Error(`a picture of ${this.name} has ${size} numbers, not ${pixels.length}`);
    const scale = this.#scale;
    if (!scale) return pixels;
    const { channels } = this;
    return pixels.map(
      (value, i) => (value - (scale.mean[i % channels] as number)) / (scale.std[i % channels] as number),
    );
  }
}

const contextOf = (canvas: OffscreenCanvas): OffscreenCanvasRenderingContext2D =>
  canvas.getContext("2d", { willReadFrequently: true }) as OffscreenCanvasRenderingContext2D;

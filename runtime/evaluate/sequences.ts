/** Carries the regions of first frames through sequences of frames by the features of a frozen encoder: for probes, and for pictures. */

import { readdir } from "node:fs/promises";
import { basename, extname, join, resolve } from "node:path";
import {
  type ArrayShape,
  areaShare,
  arrayInputs,
  arrayOf,
  Carrier,
  contourShare,
  countsOf,
  type GridSize,
  type JudgedObject,
  type Lattice,
  labelsAt,
  labelsResized,
  pause,
  planesOf,
  type SequenceProbe,
} from "../../blocks/index.js";
import { invariant } from "../../graph/index.js";
import { mapFile } from "../data/image/beside.js";
import { decode, openImage } from "../data/image/decode.js";
import type { Canvas } from "../data/image/png.js";
import { RunError, unreadable } from "../run-error.js";
import type { Bound } from "../train/contract.js";
import { initialWeights } from "../train/weights.js";
import { type ColourScale, withNormalization } from "./colours.js";
import { type EvaluateOptions, type Evaluation, type EvaluationRow, rowOf } from "./contract.js";
import { checkSelection, type Selection } from "./features.js";
import { type Frozen, openFrozen, type Trained } from "./frozen.js";
import { placesPicture, type ShownPlaces } from "./places-picture.js";

/** Of a sequence that is drawn. */
const framesShown = 8;

/**
 * Judges by each probe what the features of the encoder carry along, and those of one that was never trained where it is asked for. Throws
 * `run/data` for sequences that cannot be read, `run/features` for an encoder that gives latents.
 */
export async function judgeSequences(
  model: Trained,
  probes: readonly Bound<SequenceProbe>[],
  options: EvaluateOptions,
): Promise<Pick<Evaluation, "rows" | "samples">> {
  const rows: EvaluationRow[] = [];
  let test = 0;
  const layer = options.selections[0]?.layer ?? "last";
  const selection: Selection | null = layer === "last" ? null : { pool: "tokens", layer };
  for (const probe of probes) {
    const sequences = await sequencesOf(probe, options.data.sequences?.root ?? ".");
    test = sequences.length;
    for (const source of options.sources) {
      if (source === "pixels") continue;
      const weights = source === "encoder" ? model.weights : initialWeights(model.program.parameters, options.seed);
      const reader = await frameReader({ ...model, weights }, options, layer);
      const run = (tick: (done: number, total: number) => void) => {
        const draw = source === "encoder" ? options.draw : undefined;
        return carriedObjects(sequences, reader, probe, { tick, ...(draw && { draw }) });
      };
      try {
        rows.push(
          await rowOf({ source, selection }, reader.width, probe, options, async (_, tick) =>
            probe.definition.judgeSequences(probe.values, await run(tick)),
          ),
        );
      } finally {
        await reader.close();
      }
    }
  }
  return { rows, samples: { train: 0, test } };
}

/** The objects of all sequences. */
async function carriedObjects(
  sequences: readonly Sequence[],
  reader: FrameReader,
  probe: Bound<SequenceProbe>,
  { tick, draw }: Pick<EvaluateOptions, "draw"> & { readonly tick: (done: number, total: number) => void },
): Promise<readonly JudgedObject[]> {
  const objects: JudgedObject[] = [];
  for (const [i, sequence] of sequences.entries()) {
    const { judged, shown } = await carried(sequence, reader, probe);
    objects.push(...judged);
    await draw?.(sequence.name, shown());
    tick(i + 1, sequences.length);
  }
  return objects;
}

interface Sequence {
  readonly name: string;
  /** In their order, each with its map; null: it has none. */
  readonly frames: readonly { readonly path: string; readonly map: string | null }[];
}

const images = new Set([".png", ".jpg", ".jpeg", ".webp"]);
const stemOf = (name: string): string => basename(name, extname(name));

/** Names in a folder, sorted by their bytes. */
async function namesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw unreadable(folder, "Name a folder with a folder for each sequence.", error);
  });
  return names.filter((name) => !name.startsWith(".")).sort((a, b) => (a < b ? -1 : 1));
}

async function sequencesOf({ definition, values }: Bound<SequenceProbe>, root: string): Promise<readonly Sequence[]> {
  const where = definition.sequences(values);
  const [frames, maps] = [resolve(root, where.frames), resolve(root, where.maps)];
  const all: Sequence[] = [];
  for (const name of await namesIn(frames)) {
    if (images.has(extname(name).toLowerCase())) {
      throw new RunError("run/data", {
        what: `${join(frames, name)} is an image, and sequences are folders of them`,
        help: "Put the frames of each sequence into a folder of their own.",
      });
    }
    const found = new Map((await namesIn(join(maps, name))).map((file) => [stemOf(file), join(maps, name, file)]));
    const paths = (await namesIn(join(frames, name))).filter((file) => images.has(extname(file).toLowerCase()));
    const own = paths.map((file) => ({ path: join(frames, name, file), map: found.get(stemOf(file)) ?? null }));
    const isJudged = own.length > 2 && own[0]?.map != null && own.slice(1, -1).some(({ map }) => map !== null);
    if (!isJudged) {
      throw new RunError("run/data", {
        what: `${join(frames, name)} has ${own.length} frames, and ${own[0]?.map ? "none between the first and the last has a map" : "the first has no map"}`,
        help: `Save maps of the same names in ${join(maps, name)}: of the first frame, and of frames between it and the last.`,
      });
    }
    all.push({ name, frames: own });
  }
  if (all.length > 0) return all;
  throw new RunError("run/data", {
    what: `There are no sequences in ${frames}`,
    help: "Name a folder with a folder for each sequence.",
  });
}

/** A frame as it is stored: in 0..1, of the model's size, with its own size. */
interface Frame {
  readonly array: Float32Array;
  readonly size: GridSize;
}

interface FrameReader {
  readonly shape: ArrayShape;
  readonly grid: GridSize;
  /** Features of a place. */
  readonly width: number;
  readonly read: (path: string) => Promise<Frame>;
  /** [N, D] */
  readonly features: (frame: Frame) => Promise<Float32Array>;
  readonly close: () => Promise<void>;
}

async function frameReader(
  model: Trained,
  { executor, data: { sequences } }: EvaluateOptions,
  layer: Selection["layer"],
): Promise<FrameReader> {
  const { program } = model;
  const { name, shape } = arrayOf(program);
  if (program.latents !== undefined) {
    throw new RunError("run/features", {
      what: `${program.name} encodes an image as latents, none of which is of a place`,
      help: "Judge its features otherwise.",
    });
  }
  checkSelection(program, { pool: "tokens", layer });
  const frozen: Frozen = await openFrozen(model, executor, 1, (g, w) => ({
    features: program.features(g, w, arrayInputs(g, program), ...(layer === "last" ? [] : [layer])),
  }));
  const colours: ColourScale | null = sequences?.colours ?? null;
  const [rows, columns] = countsOf(program.grids[name] as Lattice) as [number, number];
  const { height, width } = planesOf(shape).shape;
  const [, given = 0, featureWidth = 0] = frozen.shapes.features ?? [];
  if (given - program.extraTokens !== rows * columns) {
    await frozen.close();
    throw new RunError("run/features", {
      what: `layer ${layer} of ${program.name} has ${given} places, and its last layer ${rows * columns}`,
      help: "Leave out the layer.",
    });
  }
  return {
    shape,
    grid: { rows, columns },
    width: featureWidth,
    async read(path) {
      const file = await openImage(path);
      const whole = [{ kind: "resize", height, width, filter: "bicubic" }] as const;
      const { raster } = await decode(file, whole as never, shape.channels);
      const array =
        raster.pixels instanceof Float32Array
          ? raster.pixels
          : Float32Array.from(raster.pixels, (value) => value / 255);
      return { array, size: { rows: file.height, columns: file.width } };
    },
    async features({ array }) {
      const { features } = await frozen.run({ [name]: colours ? withNormalization(array, colours) : array });
      // Behind what stands in front of the places.
      return (features as Float32Array).slice(-rows * columns * featureWidth);
    },
    close: frozen.close,
  };
}

/** Carries the first map of a sequence through it. Each frame is looked at once. */
async function carried(
  { frames }: Sequence,
  reader: FrameReader,
  { definition, values }: Bound<SequenceProbe>,
): Promise<{ readonly judged: readonly JudgedObject[]; readonly shown: () => Canvas }> {
  const { shape, grid } = reader;
  const [height, width] = shape.axes.map(({ size }) => size) as [number, number];
  const inside = { rows: height, columns: width };
  const objects: { readonly area: number[]; readonly contour: number[] }[] = [];
  const shown: ShownPlaces[] = [];
  const every = Math.max(1, Math.ceil((frames.length - 1) / framesShown));
  let carrier: Carrier | null = null;
  for (const [i, { path, map }] of frames.entries()) {
    const frame = await reader.read(path);
    const features = await reader.features(frame);
    const { rows, columns } = frame.size;
    const there =
      map === null ? null : Int32Array.from((await mapFile(map, { height: rows, width: columns }, "classes")).pixels);
    if (carrier === null) {
      invariant(there, "the first frame has a map");
      const kinds = there.reduce((most, kind) => Math.max(most, kind), 0) + 1;
      checkKinds(kinds, map ?? path);
      for (let k = 1; k < kinds; k++) objects.push({ area: [], contour: [] });
      const labels = labelsResized(there, frame.size, grid);
      carrier = new Carrier(features, labels, kinds, grid, definition.sequences(values).how);
      continue;
    }
    const shares = carrier.next(features);
    const small = labelsAt(shares, objects.length + 1, grid, inside);
    const said = labelsResized(small, inside, frame.size);
    if (there && i < frames.length - 1) {
      for (const [k, { area, contour }] of objects.entries()) {
        const flags = (labels: Int32Array) => Uint8Array.from(labels, (kind) => (kind === k + 1 ? 1 : 0));
        const [own, other] = [flags(said), flags(there)];
        area.push(areaShare(own, other));
        contour.push(contourShare(own, other, { height: rows, width: columns }));
      }
    }
    const seen = there ? labelsResized(there, frame.size, inside) : small.map(() => -1);
    if (i % every === 0) shown.push({ array: frame.array, maps: [seen, small] });
    await pause();
  }
  return { judged: objects, shown: () => placesPicture(shown, shape) };
}

/** Objects of a sequence that are carried. */
const mostKinds = 256;

function checkKinds(kinds: number, path: string): void {
  if (kinds >= 2 && kinds <= mostKinds) return;
  throw new RunError("run/data", {
    what:
      kinds < 2
        ? `${path} shows no object`
        : `${path} holds ${kinds - 1}, and a sequence has at most ${mostKinds - 1} objects`,
    help: "Save objects of first frames as whole numbers from 1, and 0 where there is none.",
  });
}

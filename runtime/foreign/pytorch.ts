/**
 * Files of `torch.save`, read without PyTorch and without running anything: archives, and the older format without one. Dictionaries
 * and lists of tensors become tensors with dotted names; numbers and texts beside them are left out, and a class that is no
 * tensor or plain container is refused by name.
 */

import type { FileHandle } from "node:fs/promises";
import { type Entry, fromFdPromise, type ZipFile } from "yauzl";
import { sizeOf } from "../../graph/index.js";
import {
  decodeTensor,
  elementBytes,
  isCount,
  mostAxes,
  quoted,
  type StoredTensor,
  type StoredType,
} from "../checkpoint/safetensors.js";
import type { Tensors } from "../checkpoint/tensor-file.js";
import { openNamedFile, readBytes } from "../plain-file.js";
import { RunError } from "../run-error.js";
import { type Pickled, PickledClass, PickleError, readPickle } from "./pickle.js";

/** Numbers of one type in a row, which tensors are views of. */
interface Storage {
  readonly key: string;
  readonly dtype: StoredType | "I16" | "I8";
  readonly count: number;
}

/** A view of a storage, before its numbers are read. */
class View {
  constructor(
    readonly storage: Storage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

/** Where the bytes of a storage lie. */
type Places = (key: string) => { readonly begin: number; readonly bytes: number } | undefined;

/** Largest pickle that is read: those of the largest models have a few MiB. */
const longestPickle = 64 * 2 ** 20;
/** Deepest nesting of dictionaries that is looked into. */
const deepest = 16;
const mostTensors = 1_000_000;

const storages: Readonly<Record<string, Storage["dtype"]>> = {
  FloatStorage: "F32",
  DoubleStorage: "F64",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
};

const bytesOf = (dtype: Storage["dtype"]): number => (dtype === "I16" ? 2 : dtype === "I8" ? 1 : elementBytes[dtype]);

const malformed = (path: string, why: string): RunError =>
  new RunError("run/foreign-weights", {
    what: `${path} cannot be read as a file of PyTorch`,
    why,
    help: "Copy or download it again; or load it in PyTorch and save its state_dict alone, best as safetensors.",
  });

/** A view, from the arguments of `_rebuild_tensor_v2(storage, offset, size, stride, ...)`. */
function viewOf([storage, offset, shape, strides]: readonly Pickled[]): View {
  const isCounts = (value: unknown): value is number[] => Array.isArray(value) && value.every(isCount);
  if (!storage || typeof storage !== "object" || !("dtype" in storage) || !isCount(offset)) {
    throw new PickleError("has a tensor without a storage");
  }
  if (!isCounts(shape) || !isCounts(strides) || shape.length !== strides.length || shape.length > mostAxes) {
    throw new PickleError("has a tensor without a shape");
  }
  const { count } = storage as Storage;
  const last = shape.includes(0) ? -1 : shape.reduce((sum, n, i) => sum + (n - 1) * (strides[i] as number), offset);
  // A view that repeats its numbers could be far larger than the file.
  if (last >= count || sizeOf(shape) > count) throw new PickleError("has a tensor that is larger than its storage");
  return new View(storage as Storage, offset, shape, strides);
}

/** Plain containers and tensors by their Python names; all others are refused. */
function construct({ module, name }: PickledClass, args: readonly Pickled[]): Pickled {
  const full = `${module}.${name}`;
  switch (full) {
    case "torch._utils._rebuild_tensor_v2":
      return viewOf(args);
    case "torch._utils._rebuild_parameter":
      return args[0] ?? null;
    case "collections.OrderedDict":
    case "argparse.Namespace":
    case "builtins.dict":
      return new Map();
    case "torch.Size":
      return Array.isArray(args[0]) ? args[0] : [];
    case "torch.device":
    case "torch.serialization._get_layout":
      return null;
    default:
      throw new PickleError(`makes ${quoted(full)}, which is no tensor and no plain container; nothing of it was run`);
  }
}

/** `("storage", class, key, place, count)` */
function storageOf(id: Pickled): Pickled {
  const [kind, named, key, , count] = Array.isArray(id) ? id : [];
  const dtype = named instanceof PickledClass && named.module === "torch" ? storages[named.name] : undefined;
  if (kind !== "storage" || typeof key !== "string" || !isCount(count)) throw new PickleError("has no valid storage");
  if (!dtype)
    throw new PickleError(`has numbers of a type that is not read: ${quoted((named as PickledClass)?.name ?? "")}`);
  return { key, dtype, count } satisfies Storage;
}

const reader = { construct, stored: storageOf };

/** The views in nested dictionaries and lists, by dotted names. */
function namedViews(root: Pickled): ReadonlyMap<string, View> {
  const found = new Map<string, View>();
  let seen = 0;
  const visit = (value: Pickled, path: string, depth: number): void => {
    if (++seen > mostTensors || depth > deepest) throw new PickleError("nests more than the weights of a model do");
    if (value instanceof View) found.set(path || "tensor", value);
    const entries = value instanceof Map ? [...value] : Array.isArray(value) ? [...value.entries()] : [];
    for (const [key, inner] of entries) {
      if (typeof inner === "object" && inner !== null)
        visit(inner as Pickled, path ? `${path}.${key}` : `${key}`, depth + 1);
    }
  };
  visit(root, "", 0);
  return found;
}

/** The numbers of a view, row by row. */
async function read(
  file: FileHandle,
  places: Places,
  { storage, offset, shape, strides }: View,
): Promise<StoredTensor> {
  const place = places(storage.key);
  const each = bytesOf(storage.dtype);
  if (!place || place.bytes < storage.count * each)
    throw new PickleError("has a storage whose numbers are not in the file");
  const size = sizeOf(shape);
  const span = size === 0 ? 0 : shape.reduce((sum, n, i) => sum + (n - 1) * (strides[i] as number), 1);
  const values = numbers(storage.dtype, await readBytes(file, place.begin + offset * each, span * each));
  const dtype = storage.dtype === "I16" || storage.dtype === "I8" ? "I32" : storage.dtype;
  if (size === span) {
    const isInOrder = shape.every((n, i) => n === 1 || strides[i] === sizeOf(shape.slice(i + 1)));
    if (isInOrder) return { dtype, shape, values };
  }
  const ordered = new (values.constructor as Float32ArrayConstructor)(size) as unknown as typeof values;
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0, from = 0; i < size; i++) {
    ordered[i] = values[from] as never;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      const [n, stride] = [shape[axis] as number, strides[axis] as number];
      index[axis] = (index[axis] as number) + 1;
      from += stride;
      if ((index[axis] as number) < n) break;
      index[axis] = 0;
      from -= n * stride;
    }
  }
  return { dtype, shape, values: ordered };
}

function numbers(dtype: Storage["dtype"], bytes: Uint8Array): StoredTensor["values"] {
  if (dtype === "I16") return Int32Array.from(new Int16Array(bytes.buffer));
  if (dtype === "I8") return Int32Array.from(new Int8Array(bytes.buffer));
  return decodeTensor(dtype, bytes);
}

interface Contents {
  readonly root: Pickled;
  readonly places: Places;
}

/** The pickle `<name>/data.pkl` of an archive and its storages `<name>/data/<key>`, which lie in it as they are. */
async function readArchive(file: FileHandle): Promise<Contents> {
  // Its own descriptor is closed by whoever opened the file.
  const zip = await fromFdPromise(file.fd, { autoClose: false, lazyEntries: true });
  const entries = new Map<string, Entry>();
  for await (const entry of zip.eachEntry()) {
    if (entries.size >= mostTensors) throw new PickleError("lies in an archive of too many files");
    entries.set(entry.fileName.slice(entry.fileName.indexOf("/") + 1), entry);
  }
  const stored = async (name: string): Promise<{ readonly begin: number; readonly bytes: number } | undefined> => {
    const entry = entries.get(name);
    if (!entry) return undefined;
    if (entry.compressionMethod !== 0 || entry.isEncrypted())
      throw new PickleError(`lies beside ${quoted(name)}, which is compressed`);
    return { begin: await dataStart(zip, entry), bytes: entry.uncompressedSize };
  };
  const pickle = await stored("data.pkl");
  if (!pickle) throw new PickleError("is not there: the archive has no data.pkl");
  if (pickle.bytes > longestPickle) throw new PickleError("has more than 64 MiB");
  const order = await stored("byteorder");
  if (order && (await textAt(file, order)) !== "little")
    throw new PickleError("lies beside numbers whose highest byte comes first");
  const { value: root } = readPickle(await readBytes(file, pickle.begin, pickle.bytes), 0, reader);
  const places = new Map<string, NonNullable<Awaited<ReturnType<typeof stored>>>>();
  for (const name of entries.keys()) {
    const place = name.startsWith("data/") ? await stored(name) : undefined;
    if (place) places.set(name.slice("data/".length), place);
  }
  return { root, places: (key) => places.get(key) };
}

const textAt = async (file: FileHandle, { begin, bytes }: { begin: number; bytes: number }): Promise<string> =>
  new TextDecoder().decode(await readBytes(file, begin, Math.min(bytes, 16)));

const dataStart = (zip: ZipFile, entry: Entry): Promise<number> =>
  new Promise((resolve, reject) => {
    zip.readLocalFileHeader(entry, { minimal: true }, (error, header) =>
      error ? reject(error) : resolve(header.fileDataStart),
    );
  });

/** The first of three pickles in the format without an archive: 0x1950a86a20f9469cfc6c. */
const magic = 0x1950a86a20f9469cfc6cn;

/**
 * Magic number, protocol, system, the object, the keys of its storages, then for each its count of 8 bytes and its numbers. The pickles
 * before the numbers are read from the first part of the file.
 */
async function readOldFile(file: FileHandle, size: number): Promise<Contents> {
  const bytes = await readBytes(file, 0, Math.min(size, longestPickle));
  const known = new Map<string, Storage>();
  const remembering = {
    construct,
    stored(id: Pickled): Pickled {
      const storage = storageOf(id) as Storage;
      known.set(storage.key, storage);
      return storage;
    },
  };
  const first = readPickle(bytes, 0, reader);
  if (first.value !== magic) throw new PickleError("does not begin as those of PyTorch do");
  const protocol = readPickle(bytes, first.end, reader);
  const system = readPickle(bytes, protocol.end, reader);
  if (system.value instanceof Map && system.value.get("little_endian") === false) {
    throw new PickleError("lies beside numbers whose highest byte comes first");
  }
  const object = readPickle(bytes, system.end, remembering);
  const keys = readPickle(bytes, object.end, reader);
  const places = new Map<string, { begin: number; bytes: number }>();
  let at = keys.end;
  for (const key of Array.isArray(keys.value) ? keys.value : []) {
    const storage = typeof key === "string" ? known.get(key) : undefined;
    if (!storage) throw new PickleError("lists a storage that nothing has");
    const length = storage.count * bytesOf(storage.dtype);
    if (at + 8 + length > size) throw new PickleError("lies before fewer numbers than it says");
    places.set(storage.key, { begin: at + 8, bytes: length });
    at += 8 + length;
  }
  return { root: object.value, places: (key) => places.get(key) };
}

/** Tensors that share a storage are few in real files: all together are no larger than the file several times. */
function refuseRepeats(views: ReadonlyMap<string, View>, size: number): void {
  const total = [...views.values()].reduce(
    (sum, { storage, shape }) => sum + sizeOf(shape) * bytesOf(storage.dtype),
    0,
  );
  if (total > 4 * size) throw new PickleError("names the same numbers again and again");
}

/**
 * Gives the tensors of a file that `torch.save` wrote, by dotted names, `model.blocks.0.norm1.weight`, to be read while `use` goes on.
 * 16-bit floats are widened.
 * @throws RunError `run/foreign-weights` where it is broken or holds what is no plain data, `run/unreadable`, and what `use` throws
 */
export async function withPyTorchFile<T>(path: string, use: (tensors: Tensors) => Promise<T>): Promise<T> {
  const { file, size } = await openNamedFile(path);
  try {
    const start = await readBytes(file, 0, Math.min(4, size));
    const isArchive = start[0] === 0x50 && start[1] === 0x4b;
    const { root, places } = await (isArchive ? readArchive(file) : readOldFile(file, size));
    const views = namedViews(root);
    refuseRepeats(views, size);
    return await use(
      new Map(
        [...views].map(([name, view]) => [name, { shape: view.shape, read: () => read(file, places, view) }] as const),
      ),
    );
  } catch (error) {
    if (error instanceof RunError) throw error;
    const why =
      error instanceof PickleError
        ? `its pickle ${error.message}`
        : error instanceof Error
          ? error.message
          : String(error);
    throw malformed(path, why);
  } finally {
    await file.close();
  }
}

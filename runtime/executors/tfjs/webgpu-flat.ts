/**
 * Groups of `flat-groups.ts` as shaders. For each place in the formula, the tensors of all members lie one behind the other
 * in a buffer, and the session holds its parts. State is changed where it lies; a tensor that lies elsewhere is copied there,
 * which costs no dispatch. An update is one dispatch, sums of all members are two, and the sum of many numbers is one.
 */

import type * as tf from "@tensorflow/tfjs-core";
import { createBuilder, type Graph, type Node, sizeOf, type Tensor } from "../../../graph/index.js";
import { type FlatGroup, flatGroupsOf, type Member, type Total } from "./flat-groups.js";
import { functions, literal } from "./formula.js";
import type { Fused } from "./kernel.js";
import type { PartsBackend } from "./webgpu-backend.js";
import { backendInUse, totalAcross } from "./webgpu-fused.js";

/** Where tensors lie in a buffer, in elements. */
interface Layout {
  readonly begins: readonly number[];
  readonly length: number;
}

/** Each begins where a part may. */
function layoutOf(shapes: readonly (readonly number[])[], alignment: number): Layout {
  const begins: number[] = [];
  let length = 0;
  for (const shape of shapes) {
    begins.push(length);
    length += Math.ceil(sizeOf(shape) / alignment) * alignment;
  }
  return { begins, length };
}

/** The buffer in which the tensors lie as laid out already, or undefined. */
function bufferOf(backend: PartsBackend, tensors: readonly tf.Tensor[], layout: Layout): tf.TensorInfo | undefined {
  const parts = tensors.map((tensor) => backend.partOf(tensor));
  const whole = parts[0]?.whole;
  const asLaidOut = parts.every((part, i) => part?.whole === whole && part?.begin === layout.begins[i]);
  return whole && asLaidOut ? { dataId: whole, shape: [layout.length], dtype: "float32" } : undefined;
}

/** A new buffer with copies of the tensors, as laid out. */
function gathered(backend: PartsBackend, tensors: readonly tf.Tensor[], { begins, length }: Layout): tf.TensorInfo {
  const whole = backend.make([length]);
  tensors.forEach((tensor, i) => {
    backend.copy(tensor, whole, begins[i] as number);
  });
  return whole;
}

/** Where state can be changed. State that something else holds too, as an output that is the state itself, is copied. */
function changeable(backend: PartsBackend, tensors: readonly tf.Tensor[], layout: Layout): tf.TensorInfo {
  const isShared = tensors.some(({ dataId }) => backend.refCount(dataId) > 1);
  return (isShared ? undefined : bufferOf(backend, tensors, layout)) ?? gathered(backend, tensors, layout);
}

const lanes = 256;
/** Elements of one member that a workgroup goes through. */
const chunk = 16 * lanes;

/** A constant that is not of the graph. */
const table = (numbers: Int32Array | Float32Array): Tensor =>
  createBuilder({ batch: 1 }).constant(numbers, [numbers.length], numbers instanceof Int32Array ? "int32" : "float32");

/** `rows` [chunks, 3]: where each begins and ends in the buffer, and its member. `firsts`: the first chunk of each member. */
function chunksOf(shapes: readonly (readonly number[])[], { begins }: Layout) {
  const rows: number[][] = [];
  const firsts = shapes.map((shape, member) => {
    const first = rows.length;
    const [begin, end] = [begins[member] as number, (begins[member] as number) + sizeOf(shape)];
    for (let at = begin; at < end; at += chunk) rows.push([at, Math.min(at + chunk, end), member]);
    return first;
  });
  return { count: rows.length, rows: Int32Array.from(rows.flat()), firsts: Int32Array.of(...firsts, rows.length) };
}

/** The shape of a member's tensors. */
const shapeOf = ({ formula, outputs }: Member): readonly number[] =>
  (formula.tensors[0] ?? (outputs[0] as Tensor)).shape;

/** A formula's scalars and constants: those that all members share, and those that each has of its own. */
function scalarsOf(members: FlatGroup["members"]) {
  const { scalars, constants } = members[0].formula;
  const isCommon = (j: number): boolean => members.every(({ formula }) => formula.scalars[j] === scalars[j]);
  const isFixed = (j: number): boolean => members.every(({ formula }) => formula.constants[j] === constants[j]);
  const common = [...scalars.keys()].filter(isCommon);
  const own = [...scalars.keys()].filter((j) => !isCommon(j));
  const varied = [...constants.keys()].filter((j) => !isFixed(j));
  return {
    /** In the order in which the shader finds them. */
    common: common.map((j) => scalars[j] as Tensor),
    own: members.flatMap(({ formula }) => own.map((j) => formula.scalars[j] as Tensor)),
    varied: Float32Array.from(members.flatMap(({ formula }) => varied.map((j) => formula.constants[j] as number))),
    declarations: [
      ...common.map((j, at) => `let s${j} = scalars[${at}];`),
      ...own.map((j, at) => `let s${j} = ofMember[member * ${own.length}u + ${at}u];`),
      ...[...constants.entries()].map(([j, value]) => {
        const at = varied.indexOf(j);
        return `let c${j} = ${at < 0 ? literal(value) : `varied[member * ${varied.length}u + ${at}u]`};`;
      }),
    ].join("\n"),
  };
}

/** Packed without gaps, as the shader reads them. */
function packed(backend: PartsBackend, tensors: readonly tf.Tensor[]): tf.TensorInfo {
  return gathered(backend, tensors, { begins: [...tensors.keys()], length: tensors.length });
}

/** The tensors that a fused step reads, each of them once. */
function createInputs() {
  const numbers = new Map<Tensor, number>();
  const numberOf = (tensor: Tensor): number => {
    const number = numbers.get(tensor) ?? numbers.size;
    numbers.set(tensor, number);
    return number;
  };
  return {
    all: (): readonly Tensor[] => [...numbers.keys()],
    /** Gives a function that finds these tensors among those that the step is given. */
    add: (tensors: readonly Tensor[]) => {
      const own = tensors.map(numberOf);
      return (given: readonly tf.Tensor[]): readonly tf.Tensor[] => own.map((number) => given[number] as tf.Tensor);
    },
  };
}

/** What each workgroup of a group's shader does: its chunk, element by element; sums are left in `sum`. */
function textOf({ kind, members }: FlatGroup, declarations: string): string {
  const { formula, replaced } = members[0];
  const target = (i: number): string => ((replaced[i] as number) < 0 ? `made${i}` : `x${replaced[i]}s`);
  const results = formula.results.map((result, i) =>
    kind === "sum" ? `sum += ${result};` : `${target(i)}[i] = ${result};`,
  );
  return `
    let begin = u32(chunks[group * 3u]);
    let end = u32(chunks[group * 3u + 1u]);
    let member = u32(chunks[group * 3u + 2u]);
    ${declarations}
    var sum = 0.0;
    for (var i = begin + lane; i < end; i += ${lanes}u) {
      ${formula.tensors.map((_, j) => `let x${j} = x${j}s[i];`).join("\n")}
      ${formula.code}
      ${results.join("\n")}
    }`;
}

type Buffers = Record<string, tf.TensorInfo>;

/** Each of the formula's tensors of all members in a buffer: those that change where they lie, the others to read. */
function buffersOf(
  backend: PartsBackend,
  tensors: readonly (readonly tf.Tensor[])[],
  replaced: readonly number[],
  layout: Layout,
): { readonly changed: Buffers; readonly read: Buffers } {
  const [changed, read]: [Buffers, Buffers] = [{}, {}];
  for (const j of replaced) {
    if (j >= 0) changed[`x${j}s`] = changeable(backend, tensors[j] as readonly tf.Tensor[], layout);
  }
  const isChanged = ({ dataId }: tf.TensorInfo): boolean =>
    Object.values(changed).some((other) => other.dataId === dataId);
  for (const [j, own] of tensors.entries()) {
    if (replaced.includes(j)) continue;
    // A buffer that changes cannot be read beside: where gradients are the weights themselves, they are copied.
    const known = bufferOf(backend, own, layout);
    read[`x${j}s`] = known && !isChanged(known) ? known : gathered(backend, own, layout);
  }
  return { changed, read };
}

/** One group, whose buffers each fit into a binding. */
function fusedGroup(group: FlatGroup, alignment: number): Fused {
  const { kind, members } = group;
  const { formula, replaced } = members[0];
  const shapes = members.map(shapeOf);
  const layout = layoutOf(shapes, alignment);
  const chunks = chunksOf(shapes, layout);
  const scalars = scalarsOf(members);
  const code = textOf(group, scalars.declarations);

  const inputs = createInputs();
  const tensors = formula.tensors.map((_, j) => inputs.add(members.map((one) => one.formula.tensors[j] as Tensor)));
  const [common, own] = [inputs.add(scalars.common), inputs.add(scalars.own)];
  const tables = [chunks.rows, chunks.firsts, ...(scalars.varied.length > 0 ? [scalars.varied] : [])].map(table);
  const tablesIn = inputs.add(tables);

  const run: Fused["run"] = (given) => {
    const backend = backendInUse();
    const [rows, firsts, varied] = tablesIn(given) as [tf.Tensor, tf.Tensor, tf.Tensor?];
    const { changed, read } = buffersOf(
      backend,
      tensors.map((find) => find(given)),
      replaced,
      layout,
    );
    const shader = {
      key: code,
      sizes: {},
      inputs: {
        ...{ ...read, chunks: rows },
        ...(scalars.common.length > 0 ? { scalars: packed(backend, common(given)) } : {}),
        ...(scalars.own.length > 0 ? { ofMember: packed(backend, own(given)) } : {}),
        ...(varied ? { varied } : {}),
      },
      lanes,
      groups: chunks.count,
    };
    if (kind === "sum") {
      const last = "sum = total(lane, sum); if (lane == 0u) { parts[group] = sum; }";
      const texts = { name: "sum", declarations: functions + totalAcross(lanes), code: `${code}\n${last}` };
      const [parts] = backend.run({ ...shader, ...texts, outputs: { parts: [chunks.count] } });
      return sums(backend, parts as tf.Tensor, firsts, members, alignment);
    }
    const fresh = replaced.flatMap((j, i) => (j < 0 ? [[`made${i}`, [layout.length]] as const] : []));
    const texts = { name: "update", declarations: functions, code };
    const made = backend.run({ ...shader, ...texts, outputs: Object.fromEntries(fresh), changed });
    const wholes = replaced.map((j) => (j < 0 ? made.shift() : changed[`x${j}s`]) as tf.TensorInfo);
    return members.flatMap(({ outputs }, member) =>
      outputs.map(({ shape }, i) => backend.part(wholes[i] as tf.TensorInfo, layout.begins[member] as number, shape)),
    );
  };
  return {
    name: kind === "sum" ? "sums of all elements" : "updates of state",
    inputs: inputs.all(),
    outputs: members.flatMap(({ outputs }) => outputs),
    tables,
    changesState: kind === "update",
    run,
  };
}

/** Of the sums of chunks, those of each member; each where a part may begin. */
function sums(
  backend: PartsBackend,
  parts: tf.Tensor,
  firsts: tf.Tensor,
  members: readonly Member[],
  alignment: number,
): tf.Tensor[] {
  const [made] = backend.run({
    name: "sums",
    inputs: { parts, firsts },
    outputs: { made: [members.length * alignment] },
    sizes: { alignment },
    declarations: totalAcross(lanes),
    code: `
      var sum = 0.0;
      for (var i = u32(firsts[group]) + lane; i < u32(firsts[group + 1u]); i += ${lanes}u) { sum += parts[i]; }
      sum = total(lane, sum);
      if (lane == 0u) { made[group * alignment] = sum; }`,
    lanes,
    groups: members.length,
  });
  return members.map(({ outputs: [output] }, i) =>
    backend.part(made as tf.Tensor, i * alignment, (output as Tensor).shape),
  );
}

/** One workgroup adds them all. */
function fusedTotal({ terms, output }: Total, alignment: number): Fused {
  const layout = layoutOf(
    terms.map(() => []),
    alignment,
  );
  const run: Fused["run"] = (given) => {
    const backend = backendInUse();
    const x = bufferOf(backend, given, layout) ?? gathered(backend, given, layout);
    return backend.run({
      name: "total",
      inputs: { x },
      outputs: { made: output.shape },
      sizes: { count: terms.length, alignment },
      declarations: totalAcross(lanes),
      code: `
        var sum = 0.0;
        for (var i = lane; i < count; i += ${lanes}u) { sum += x[i * alignment]; }
        sum = total(lane, sum);
        if (lane == 0u) { made[0] = sum; }`,
      lanes,
      groups: 1,
    });
  };
  return { name: "total of sums", inputs: terms, outputs: [output], tables: [], changesState: false, run };
}

/** As many members in a row as fit into a buffer each time. */
function inBuffers({ kind, members }: FlatGroup, most: number): FlatGroup[] {
  const groups: { kind: FlatGroup["kind"]; members: [Member, ...Member[]] }[] = [];
  let room = 0;
  for (const member of members) {
    const size = sizeOf(shapeOf(member));
    const last = groups.at(-1);
    if (last && size <= room) last.members.push(member);
    else groups.push({ kind, members: [member] });
    room = (last && size <= room ? room : most) - size;
  }
  return groups;
}

/** The fused steps of a graph on the device of the backend in use, and the nodes that they compute. */
export function fuseFlat(graph: Graph): { readonly fused: readonly Fused[]; readonly nodes: ReadonlySet<Node> } {
  const { maxStorageBufferBindingSize, maxBufferSize, minStorageBufferOffsetAlignment } = backendInUse().device.limits;
  const alignment = minStorageBufferOffsetAlignment / Float32Array.BYTES_PER_ELEMENT;
  const most = Math.min(maxStorageBufferBindingSize, maxBufferSize) / Float32Array.BYTES_PER_ELEMENT;
  const { groups, totals, nodes } = flatGroupsOf(graph);
  const fitting = groups.flatMap((group) => inBuffers(group, most - group.members.length * alignment));
  return {
    fused: [
      ...fitting.map((group) => fusedGroup(group, alignment)),
      ...totals.map((total) => fusedTotal(total, alignment)),
    ],
    nodes,
  };
}

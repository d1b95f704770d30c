/** A session whose state stays on devices of a PJRT plugin: runs leave this thread free, and a step's new state takes the place of the old. */

import { type StateSlot, simplify, type TypedArray, type Values } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import type { Session } from "../executor.js";
import { checkedValue, slotsByName, takingTurns } from "../slots.js";
import { sumProgram } from "./all-reduce.js";
import { PluginError } from "./c-api.js";
import type { Client, DeviceBuffer, Executable } from "./client.js";
import { usualCompileLimit, withinLimit } from "./compiling.js";
import { type Cut, cutOfState, type Division, joined, partsOf, type Slot, shapeOfPart, undivided } from "./division.js";
import { alwaysFed, type Program, programOf } from "./program.js";
import { requireRoomForState, requireRoomForStep, smallerStep, stateOnEach } from "./room.js";

/** A tensor on all devices that compute together: a buffer on each. */
type Spread = readonly DeviceBuffer[];

/** Codes of gRPC that say that there is no room. */
const noRoom = 8;

function failure(error: unknown): unknown {
  if (!(error instanceof PluginError)) return error;
  const isMemory = error.code === noRoom || /out of memory|RESOURCE_EXHAUSTED/i.test(error.message);
  return new RunError(isMemory ? "run/out-of-memory" : "run/device-failed", {
    what: isMemory ? "the device has not enough memory for a step" : "XLA reported an error",
    why: error.message.split("\n")[0] as string,
    help: isMemory ? smallerStep : "Try --backend onnx or wasm; if it works there, report this.",
  });
}

/** Does something with the device, and says in our words what went wrong. */
async function told<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw failure(error);
  }
}

/** How a session computes. */
export interface SessionSettings {
  /** The devices that compute together; if absent, the first one alone. */
  readonly division?: Division;
  /** Bytes of each device; null, or absent: not known. */
  readonly room?: number | null;
  /** Seconds in which a graph is to be compiled; if absent, half an hour. */
  readonly compileLimit?: number | undefined;
}

/** @throws RunError `run/out-of-memory` where the state is larger than a device's room */
export async function openSession(
  client: Client,
  slots: readonly StateSlot[],
  initial: Values,
  { division = undivided, room = null, compileLimit = usualCompileLimit }: SessionSettings = {},
): Promise<Session> {
  for (const slot of slots) checkedValue(initial, slot);
  requireRoomForState(slots, division, room);
  const { devices } = division;
  const inTurn = takingTurns();
  const slotOf = slotsByName(slots);
  const state = new Map<string, Spread>();
  const loaded: Executable[] = [];
  let isClosed = false;
  const put = (slot: Slot, values: Values, cut: Cut): Spread =>
    partsOf(values[slot.name] as TypedArray, slot, cut, devices).map((part, device) =>
      client.put(part, slot.dtype, shapeOfPart(slot.shape, cut, devices), device),
    );
  const free = (spread: Spread): void => {
    for (const buffer of spread) client.free(buffer);
  };
  const replace = (name: string, spread: Spread): void => {
    const before = state.get(name);
    if (before !== undefined) free(before);
    state.set(name, spread);
  };
  /** A tensor that is whole on each device is read from the first. */
  const read = async (spread: Spread, slot: Slot, cut: Cut): Promise<TypedArray> => {
    if (cut === null) return client.read(spread[0] as DeviceBuffer, slot.dtype, slot.shape);
    const shape = shapeOfPart(slot.shape, cut, devices);
    return joined(await Promise.all(spread.map((buffer) => client.read(buffer, slot.dtype, shape))), slot, cut);
  };
  const putState = (slot: StateSlot, values: Values): void =>
    replace(slot.name, put(slot, values, cutOfState(slot, division)));
  await told(() => {
    for (const slot of slots) putState(slot, initial);
  });

  const run = async (executable: Executable, program: Program, feeds: Values) => {
    const fed = program.feeds.map((slot, i) => put(slot, feeds, program.cuts[program.state.length + i] as Cut));
    const inputs = [...program.state.map(({ name }) => state.get(name) as Spread), ...fed];
    const results = await executable.run(
      Array.from({ length: devices }, (_, device) => inputs.map((spread) => spread[device] as DeviceBuffer)),
    );
    const resultAt = (i: number): Spread => results.map((ofDevice) => ofDevice[i] as DeviceBuffer);
    for (const spread of fed) free(spread);
    for (const [i, { name }] of program.updates.entries()) replace(name, resultAt(i));
    const outputs: Record<string, TypedArray> = {};
    for (const [i, slot] of program.outputs.entries()) {
      const spread = resultAt(program.updates.length + i);
      outputs[slot.name] = await read(spread, slot, null);
      free(spread);
    }
    return outputs;
  };

  const sums = new Map<string, Executable>();
  /** Compiled once for the same tensors. */
  const summing = async (of: readonly StateSlot[]): Promise<Executable> => {
    const key = of.map(({ name }) => name).join("\n");
    const known = sums.get(key);
    if (known) return known;
    const parts = of.map((slot) => ({ ...slot, shape: shapeOfPart(slot.shape, cutOfState(slot, division), devices) }));
    const executable = await client.compileForAll(sumProgram(parts, client.hosts, devices), devices);
    sums.set(key, executable);
    loaded.push(executable);
    return executable;
  };
  // Takes no turn: where another host is lost it is never over, and what else there is can still be read.
  const sumOverHosts = (names: readonly string[]): Promise<void> =>
    told(async () => {
      const executable = await summing(names.map(slotOf));
      const inputs = names.map((name) => state.get(name) as Spread);
      const results = await executable.run(
        Array.from({ length: devices }, (_, device) => inputs.map((spread) => spread[device] as DeviceBuffer)),
      );
      for (const [i, name] of names.entries())
        replace(
          name,
          results.map((ofDevice) => ofDevice[i] as DeviceBuffer),
        );
    });

  return {
    ...(client.hosts > 1 ? { sumOverHosts } : {}),
    async load(graph, precision, compiling) {
      for (const name of graph.state.keys()) slotOf(name);
      const program = programOf(simplify(graph), precision, division);
      // Not in turn: state is read, and saved, while it compiles.
      const executable = await withinLimit(
        told(() => client.compile(program.text, devices)),
        compileLimit,
        { tell: compiling, late: (of) => of.close() },
      );
      if (isClosed) executable.close();
      else loaded.push(executable);
      if (executable.memory) requireRoomForStep(executable.memory, program, slots, division, room);
      return async (given) => {
        const feeds = { ...given, ...alwaysFed };
        for (const feed of program.feeds) checkedValue(feeds, feed);
        return inTurn(() => told(() => run(executable, program, feeds)));
      };
    },
    async read(names = slots.map(({ name }) => name)) {
      const wanted = names.map(slotOf);
      return inTurn(() =>
        told(async () => {
          const values: Record<string, TypedArray> = {};
          for (const slot of wanted)
            values[slot.name] = await read(state.get(slot.name) as Spread, slot, cutOfState(slot, division));
          return values;
        }),
      );
    },
    async write(values) {
      const written = Object.keys(values).map(slotOf);
      for (const slot of written) checkedValue(values, slot);
      await inTurn(() =>
        told(() => {
          for (const slot of written) putState(slot, values);
        }),
      );
    },
    memory: () => ({
      bytes: devices * stateOnEach([...state.keys()].map(slotOf), division),
      tensors: state.size,
    }),
    async close() {
      isClosed = true;
      await inTurn(async () => {
        for (const executable of loaded) executable.close();
        for (const spread of state.values()) free(spread);
        loaded.length = 0;
        state.clear();
      });
    },
  };
}

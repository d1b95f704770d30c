/** A session whose state stays on devices of a PJRT plugin: runs leave this thread free, and a step's new state replaces the old. */

import { type StateSlot, simplify, type TypedArray, type Values } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import type { Session } from "../executor.js";
import { checkedValue, slotsByName, takingTurns } from "../slots.js";
import { sumProgram } from "./all-reduce.js";
import { PluginError } from "./c-api.js";
import type { Client } from "./client.js";
import { usualCompileLimit, withinLimit } from "./compiling.js";
import { cutOfState, type Division, shapeOfPart, undivided } from "./division.js";
import type { Executable } from "./executables.js";
import { alwaysFed, type Program, programOf } from "./program.js";
import { requireRoomForState, requireRoomForStep, smallerStep, stateOnEach } from "./room.js";
import { byDevice, createTensors, type Spread, spreadAt, type Tensors } from "./tensors.js";

/** A code of gRPC that says that there is no room. */
const noRoom = 8;

/** What a plugin reports, in our words; other errors as they are. */
function reported(error: unknown): unknown {
  if (!(error instanceof PluginError)) return error;
  const isMemory = error.code === noRoom || /out of memory|RESOURCE_EXHAUSTED/i.test(error.message);
  return new RunError(isMemory ? "run/out-of-memory" : "run/device-failed", {
    what: isMemory ? "the device has not enough memory for a step" : "XLA reported an error",
    why: error.message.split("\n")[0] as string,
    help: isMemory ? smallerStep : "Try --backend onnx or wasm; if it works there, report this.",
  });
}

/** Does work on the devices, whose errors are RunErrors. */
async function onDevices<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw reported(error);
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
  const tensors = createTensors(client, division);
  const loaded: Executable[] = [];
  let isClosed = false;
  await onDevices(() => {
    for (const slot of slots) tensors.putState(slot, initial);
  });
  const sum = sumOver(client, division, tensors, (executable) => loaded.push(executable));
  // Takes no turn: it never ends where another host is lost, and the state can still be read then.
  const sumOverHosts = (names: readonly string[]): Promise<void> => onDevices(() => sum(names.map(slotOf)));

  return {
    ...(client.hosts > 1 ? { sumOverHosts } : {}),
    async load(graph, precision, compiling) {
      for (const name of graph.state.keys()) slotOf(name);
      const program = programOf(simplify(graph), precision, division);
      // Takes no turn: state is read, and saved, while it compiles.
      const executable = await withinLimit(
        onDevices(() => client.compile(program.text, devices)),
        compileLimit,
        { tell: compiling, late: (of) => of.close() },
      );
      if (isClosed) executable.close();
      else loaded.push(executable);
      if (executable.memory) requireRoomForStep(executable.memory, program, slots, division, room);
      return async (given) => {
        const feeds = { ...given, ...alwaysFed };
        for (const feed of program.feeds) checkedValue(feeds, feed);
        return inTurn(() => onDevices(() => run(executable, program, feeds, tensors)));
      };
    },
    async read(names = slots.map(({ name }) => name)) {
      const wanted = names.map(slotOf);
      return inTurn(() =>
        onDevices(async () => {
          const values: Record<string, TypedArray> = {};
          for (const slot of wanted) values[slot.name] = await tensors.readState(slot);
          return values;
        }),
      );
    },
    async write(values) {
      const written = Object.keys(values).map(slotOf);
      for (const slot of written) checkedValue(values, slot);
      await inTurn(() =>
        onDevices(() => {
          for (const slot of written) tensors.putState(slot, values);
        }),
      );
    },
    memory: () => {
      const held = slots.filter(({ name }) => tensors.state.has(name));
      return { bytes: devices * stateOnEach(held, division), tensors: held.length };
    },
    async close() {
      isClosed = true;
      await inTurn(async () => {
        for (const executable of loaded) executable.close();
        loaded.length = 0;
        tensors.freeState();
      });
    },
  };
}

/** Runs a program once: replaces the state that it updates, and reads what it gives. */
async function run(executable: Executable, program: Program, feeds: Values, tensors: Tensors): Promise<Values> {
  const feedCuts = program.cuts.slice(program.state.length);
  const fed = program.feeds.map((slot, i) => tensors.put(slot, feeds, feedCuts[i] ?? null));
  const inputs = [...program.state.map(({ name }) => tensors.stateOf(name)), ...fed];
  const results = await executable.run(byDevice(inputs, tensors.devices));
  for (const spread of fed) tensors.free(spread);
  for (const [i, { name }] of program.updates.entries()) tensors.replace(name, spreadAt(results, i));
  const outputs: Record<string, TypedArray> = {};
  for (const [i, slot] of program.outputs.entries()) {
    const spread: Spread = spreadAt(results, program.updates.length + i);
    outputs[slot.name] = await tensors.read(spread, slot, null);
    tensors.free(spread);
  }
  return outputs;
}

/** Gives a function that sums state over all hosts, by a program that is compiled once for the same tensors. `compiled` hears of each. */
function sumOver(
  client: Client,
  division: Division,
  tensors: Tensors,
  compiled: (executable: Executable) => void,
): (slots: readonly StateSlot[]) => Promise<void> {
  const { devices } = division;
  const executables = new Map<string, Executable>();
  const executableFor = async (slots: readonly StateSlot[]): Promise<Executable> => {
    const key = slots.map(({ name }) => name).join("\n");
    const known = executables.get(key);
    if (known) return known;
    const parts = slots.map((slot) => ({
      ...slot,
      shape: shapeOfPart(slot.shape, cutOfState(slot, division), devices),
    }));
    const executable = await client.compileForAll(sumProgram(parts, client.hosts, devices), devices);
    executables.set(key, executable);
    compiled(executable);
    return executable;
  };
  return async (slots) => {
    const executable = await executableFor(slots);
    const results = await executable.run(
      byDevice(
        slots.map(({ name }) => tensors.stateOf(name)),
        devices,
      ),
    );
    for (const [i, { name }] of slots.entries()) tensors.replace(name, spreadAt(results, i));
  };
}

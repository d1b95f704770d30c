/** A session whose state stays on a device of a PJRT plugin: runs leave this thread free, and a step's new state takes the place of the old. */

import { bytesOf, type StateSlot, simplify, sizeOf, type TypedArray, type Values } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import type { Session } from "../executor.js";
import { checkedValue, slotsByName, takingTurns } from "../slots.js";
import { PluginError } from "./c-api.js";
import type { Client, DeviceBuffer, Executable } from "./client.js";
import { programOf, type Slot } from "./program.js";

/** Codes of gRPC that say that there is no room. */
const noRoom = 8;

function failure(error: unknown): unknown {
  if (!(error instanceof PluginError)) return error;
  const isMemory = error.code === noRoom || /out of memory|RESOURCE_EXHAUSTED/i.test(error.message);
  return new RunError(isMemory ? "run/out-of-memory" : "run/device-failed", {
    what: isMemory ? "the device has not enough memory for a step" : "XLA reported an error",
    why: error.message.split("\n")[0] as string,
    help: isMemory ? "Use a smaller batch." : "Try --backend onnx or wasm; if it works there, report this.",
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

export async function openSession(client: Client, slots: readonly StateSlot[], initial: Values): Promise<Session> {
  for (const slot of slots) checkedValue(initial, slot);
  const inTurn = takingTurns();
  const slotOf = slotsByName(slots);
  const state = new Map<string, DeviceBuffer>();
  const loaded: Executable[] = [];
  const put = ({ name, shape, dtype }: Slot, values: Values): DeviceBuffer =>
    client.put(values[name] as TypedArray, dtype, shape);
  const replace = (name: string, buffer: DeviceBuffer): void => {
    const before = state.get(name);
    if (before !== undefined) client.free(before);
    state.set(name, buffer);
  };
  await told(() => {
    for (const slot of slots) state.set(slot.name, put(slot, initial));
  });

  const run = async (executable: Executable, program: ReturnType<typeof programOf>, feeds: Values) => {
    const fed = program.feeds.map((slot) => put(slot, feeds));
    const inputs = [...program.state.map(({ name }) => state.get(name) as DeviceBuffer), ...fed];
    const results = await executable.run(inputs);
    for (const buffer of fed) client.free(buffer);
    for (const [i, { name }] of program.updates.entries()) replace(name, results[i] as DeviceBuffer);
    const outputs: Record<string, TypedArray> = {};
    for (const [i, { name, dtype, shape }] of program.outputs.entries()) {
      const buffer = results[program.updates.length + i] as DeviceBuffer;
      outputs[name] = await client.read(buffer, dtype, shape);
      client.free(buffer);
    }
    return outputs;
  };

  return {
    async load(graph, precision) {
      for (const name of graph.state.keys()) slotOf(name);
      const program = programOf(simplify(graph), precision);
      const executable = await inTurn(() => told(() => client.compile(program.text)));
      loaded.push(executable);
      return async (feeds) => {
        for (const feed of program.feeds) checkedValue(feeds, feed);
        return inTurn(() => told(() => run(executable, program, feeds)));
      };
    },
    async read(names = slots.map(({ name }) => name)) {
      const wanted = names.map(slotOf);
      return inTurn(() =>
        told(async () => {
          const values: Record<string, TypedArray> = {};
          for (const { name, dtype, shape } of wanted) {
            values[name] = await client.read(state.get(name) as DeviceBuffer, dtype, shape);
          }
          return values;
        }),
      );
    },
    async write(values) {
      const written = Object.keys(values).map(slotOf);
      for (const slot of written) checkedValue(values, slot);
      await inTurn(() =>
        told(() => {
          for (const slot of written) replace(slot.name, put(slot, values));
        }),
      );
    },
    memory: () => ({
      bytes: [...state.keys()].reduce((sum, name) => sum + sizeOf(slotOf(name).shape) * bytesOf[slotOf(name).dtype], 0),
      tensors: state.size,
    }),
    async close() {
      await inTurn(async () => {
        for (const executable of loaded) executable.close();
        for (const buffer of state.values()) client.free(buffer);
        loaded.length = 0;
        state.clear();
      });
    },
  };
}

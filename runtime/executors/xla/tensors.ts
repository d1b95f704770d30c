/** Tensors on the devices that compute together: put there, read, replaced and freed. What computes with them is left to `session.ts`. */

import type { StateSlot, TypedArray, Values } from "../../../graph/index.js";
import type { Client } from "./client.js";
import { type Cut, cutOfState, type Division, joined, partsOf, type Slot, shapeOfPart } from "./division.js";
import type { DeviceBuffer } from "./executables.js";

/** A tensor on all devices that compute together: a buffer on each. */
export type Spread = readonly DeviceBuffer[];

export type Tensors = ReturnType<typeof createTensors>;

export function createTensors(client: Client, division: Division) {
  const { devices } = division;
  const state = new Map<string, Spread>();
  const put = (slot: Slot, values: Values, cut: Cut): Spread =>
    partsOf(values[slot.name] as TypedArray, slot, cut, devices).map((part, device) =>
      client.put(part, slot.dtype, shapeOfPart(slot.shape, cut, devices), device),
    );
  const free = (spread: Spread): void => {
    for (const buffer of spread) client.free(buffer);
  };
  /** Puts a state there, and frees what it replaces. */
  const replace = (name: string, spread: Spread): void => {
    const before = state.get(name);
    if (before !== undefined) free(before);
    state.set(name, spread);
  };
  const stateOf = (name: string): Spread => state.get(name) as Spread;
  /** A tensor that is whole on each device is read from the first. */
  const read = async (spread: Spread, slot: Slot, cut: Cut): Promise<TypedArray> => {
    if (cut === null) return client.read(spread[0] as DeviceBuffer, slot.dtype, slot.shape);
    const shape = shapeOfPart(slot.shape, cut, devices);
    return joined(await Promise.all(spread.map((buffer) => client.read(buffer, slot.dtype, shape))), slot, cut);
  };
  return {
    devices,
    /** By name. */
    state: state as ReadonlyMap<string, Spread>,
    stateOf,
    put,
    free,
    replace,
    read,
    putState: (slot: StateSlot, values: Values): void =>
      replace(slot.name, put(slot, values, cutOfState(slot, division))),
    readState: (slot: StateSlot): Promise<TypedArray> => read(stateOf(slot.name), slot, cutOfState(slot, division)),
    freeState(): void {
      for (const spread of state.values()) free(spread);
      state.clear();
    },
  };
}

/** The buffers of several tensors, a list for each device. */
export const byDevice = (spreads: readonly Spread[], devices: number): readonly (readonly DeviceBuffer[])[] =>
  Array.from({ length: devices }, (_, device) => spreads.map((spread) => spread[device] as DeviceBuffer));

/** Tensor `i` of the results that each device gave. */
export const spreadAt = (results: readonly (readonly DeviceBuffer[])[], i: number): Spread =>
  results.map((ofDevice) => ofDevice[i] as DeviceBuffer);

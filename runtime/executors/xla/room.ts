/** Refuses a state or a step that does not fit into the memory of a device, before it is put there, and says what to do. */

import { bytesText } from "../../../blocks/index.js";
import { bytesOf, type StateSlot, sizeOf } from "../../../graph/index.js";
import { RunError } from "../../run-error.js";
import { cutOfState, type Division } from "./division.js";
import type { CompiledMemory } from "./executables.js";
import type { Program } from "./program.js";

/** Bytes that each device holds of a state. */
export const stateOnEach = (slots: readonly StateSlot[], division: Division): number =>
  slots.reduce((sum, slot) => {
    const whole = sizeOf(slot.shape) * bytesOf[slot.dtype];
    return sum + (cutOfState(slot, division) === null ? whole : whole / division.devices);
  }, 0);

/** What to do about a step that does not fit. */
export const smallerStep =
  "Compute fewer samples at once with --micro-batch, or layers again with --recompute; --devices <n> --shard-state divides the state among several devices.";

const ownerText = ({ devices }: Division): string =>
  devices === 1 ? "the device has" : `each of ${devices} devices has`;

/**
 * @param room bytes of each device; null: not known, and nothing is refused
 * @throws RunError `run/out-of-memory`
 */
export function requireRoomForState(slots: readonly StateSlot[], division: Division, room: number | null): void {
  const needed = stateOnEach(slots, division);
  if (room === null || needed <= room) return;
  throw new RunError("run/out-of-memory", {
    what: `the state of the model (weights, moments, summed gradients) takes ${bytesText(needed)}, and ${ownerText(division)} ${bytesText(room)}`,
    help: division.shardState
      ? "Use more devices, of which each holds its share, or a smaller model."
      : "--devices <n> --shard-state divides them among several devices.",
  });
}

/**
 * Of a program that is compiled, beside all the state of its session.
 * @throws RunError `run/out-of-memory`
 */
export function requireRoomForStep(
  memory: CompiledMemory,
  { state }: Pick<Program, "state">,
  all: readonly StateSlot[],
  division: Division,
  room: number | null,
): void {
  const stateBytes = stateOnEach(all, division);
  const stepBytes =
    memory.arguments - stateOnEach(state, division) + memory.outputs - memory.aliased + memory.temporaries;
  if (room === null || stateBytes + stepBytes <= room) return;
  throw new RunError("run/out-of-memory", {
    what: `a step takes ${bytesText(stateBytes + stepBytes)}, and ${ownerText(division)} ${bytesText(room)}`,
    why: `${bytesText(stateBytes)} are its state (weights, moments, summed gradients), ${bytesText(stepBytes)} what it computes`,
    help: smallerStep,
  });
}

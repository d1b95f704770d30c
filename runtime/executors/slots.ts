/** What sessions of all executors have in common: values that fit their slots, and calls that wait for each other. */

import { invariant, type StateSlot, showShape, sizeOf, type TypedArray, type Values } from "../../graph/index.js";

/** Does one thing after another, in the order of the calls. */
export function takingTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const done = last.then(work, work);
    last = done;
    return done;
  };
}

/** The values of a slot; an invariant where there are none, or not as many as it has. */
export function checkedValue(values: Values, { name, shape }: Pick<StateSlot, "name" | "shape">): TypedArray {
  const data = values[name];
  invariant(data !== undefined, `no value for "${name}"`);
  invariant(data.length === sizeOf(shape), `"${name}" ${showShape(shape)} was given ${data.length} values`);
  return data;
}

/** The slot of a name; an invariant where the session has none. */
export function slotsByName(slots: readonly StateSlot[]): (name: string) => StateSlot {
  const known = new Map(slots.map((slot) => [slot.name, slot]));
  return (name) => {
    const slot = known.get(name);
    invariant(slot !== undefined, `"${name}" is not state of this session`);
    return slot;
  };
}

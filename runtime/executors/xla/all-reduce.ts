/** The program that sums tensors over the devices of all hosts. Which tensors these are, and where they lie, is left to `session.ts`. */

import type { Slot } from "./division.js";
import { typeOf } from "./stablehlo.js";

/**
 * Each device of each host runs a copy of it. A copy sums over the devices in the same place on all hosts: whole tensors, or the same parts of cut ones.
 * Sums replace what was summed.
 * @param slots whole tensors or parts, with the shapes that one device holds
 */
export function sumProgram(slots: readonly Slot[], hosts: number, devices: number): string {
  const groups = Array.from(
    { length: devices },
    (_, device) => `[${Array.from({ length: hosts }, (_, host) => host * devices + device).join(", ")}]`,
  );
  const parameters = slots.map((slot, i) => `%arg${i}: ${typeOf(slot)} {tf.aliasing_output = ${i} : i32}`);
  const types = slots.map(typeOf).join(", ");
  const sums = slots.map((slot, i) => {
    const scalar = typeOf({ ...slot, shape: [] });
    return `    %${i} = "stablehlo.all_reduce"(%arg${i}) <{replica_groups = dense<[${groups.join(", ")}]> : tensor<${devices}x${hosts}xi64>}> ({
      ^bb0(%a: ${scalar}, %b: ${scalar}):
        %sum = stablehlo.add %a, %b : ${scalar}
        stablehlo.return %sum : ${scalar}
    }) : (${typeOf(slot)}) -> ${typeOf(slot)}
`;
  });
  const names = slots.map((_, i) => `%${i}`).join(", ");
  return `module @sum {
  func.func public @main(${parameters.join(", ")}) -> (${types}) {
${sums.join("")}    return ${names} : ${types}
  }
}
`;
}

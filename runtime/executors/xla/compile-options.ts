/** What a plugin is told of the devices that a program is compiled for: CompileOptionsProto. */

import { type Field, integer, integers, message } from "../protobuf.js";

export interface Devices {
  /** Devices that run the whole program each, and see each other in collectives alone. */
  readonly copies: number;
  /** Devices among which each copy is divided. */
  readonly parts: number;
  /** Which they are, copy by copy; null: the plugin takes the first ones. */
  readonly ids: readonly number[] | null;
}

/** With executable_build_options { num_replicas, num_partitions, use_spmd_partitioning, use_shardy_partitioner, device_assignment }. */
export function compileOptionsFor({ copies, parts, ids }: Devices): Buffer {
  const divided = parts > 1 ? [integer(6, 1), integer(19, 1)] : [];
  const assigned = ids === null ? [] : [message(9, assignment(copies, parts, ids))];
  return Buffer.from(message(3, [integer(4, copies), integer(5, parts), ...divided, ...assigned]));
}

/** DeviceAssignmentProto { replica_count, computation_count, computation_devices { replica_device_ids } }: by part, the devices of all copies. */
const assignment = (copies: number, parts: number, ids: readonly number[]): readonly Field[] => [
  integer(1, copies),
  integer(2, parts),
  ...Array.from({ length: parts }, (_, part) => {
    const ofCopies = Array.from({ length: copies }, (_, copy) => ids[copy * parts + part] as number);
    return message(3, [integers(1, ofCopies)]);
  }),
];

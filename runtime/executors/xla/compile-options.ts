/** What a plugin is told of the devices that a program is compiled for: CompileOptionsProto, in the wire format of protocol buffers. */

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
  const divided = parts > 1 ? [...field(6, 1), ...field(19, 1)] : [];
  const assigned = ids === null ? [] : message(9, assignment(copies, parts, ids));
  return Buffer.from(message(3, [...field(4, copies), ...field(5, parts), ...divided, ...assigned]));
}

/** DeviceAssignmentProto { replica_count, computation_count, computation_devices { replica_device_ids } }: by part, the devices of all copies. */
const assignment = (copies: number, parts: number, ids: readonly number[]): readonly number[] => [
  ...field(1, copies),
  ...field(2, parts),
  ...Array.from({ length: parts }, (_, part) => {
    const ofCopies = Array.from({ length: copies }, (_, copy) => varint(ids[copy * parts + part] as number));
    return message(3, message(1, ofCopies.flat()));
  }).flat(),
];

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let left = value;
  for (; left > 0x7f; left = Math.floor(left / 0x80)) bytes.push((left % 0x80) + 0x80);
  return [...bytes, left];
}

const field = (number: number, value: number): readonly number[] => [...varint(number * 8), ...varint(value)];

const message = (number: number, bytes: readonly number[]): readonly number[] => [
  ...varint(number * 8 + 2),
  ...varint(bytes.length),
  ...bytes,
];

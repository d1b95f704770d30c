/**
 * The C API of PJRT, by which XLA's plugins for processors, GPUs and TPUs are driven, through a foreign function interface. Knows how calls and their
 * arguments lie in memory, and turns their errors into exceptions; what is done with them is said in `client.ts`.
 *
 * Layouts are those of version 0.114. A plugin takes arguments of a caller that is older than itself, and of a newer one what it knows.
 */

import { createRequire } from "node:module";

export type Koffi = typeof import("koffi");
type Foreign = ReturnType<Koffi["decode"]>;

/** Bytes of an argument's structure, and where its fields lie: offset, and bytes where these are not 8. */
interface Layout {
  readonly size: number;
  readonly fields: Readonly<Record<string, readonly [offset: number, bytes?: 1 | 4]>>;
}

/** Every structure begins with its own size and a pointer to extensions. */
const head = 16;

/** Eight bytes each, one after the other. */
const words = (...names: readonly string[]): Layout => ({
  size: head + 8 * names.length,
  fields: Object.fromEntries(names.map((name, i) => [name, [head + 8 * i]])),
});

/** The calls that are used: where each lies in the plugin's table, and what it takes. */
const calls = {
  Error_Destroy: [0, words("error")],
  Error_Message: [1, words("error", "message", "message_size")],
  Error_GetCode: [2, { size: 28, fields: { error: [16], code: [24, 4] } }],
  Plugin_Initialize: [3, words()],
  Plugin_Attributes: [4, words("attributes", "num_attributes")],
  Event_Destroy: [5, words("event")],
  Event_Await: [8, words("event")],
  Client_Create: [
    10,
    words(
      "create_options",
      "num_options",
      "kv_get_callback",
      "kv_get_user_arg",
      "kv_put_callback",
      "kv_put_user_arg",
      "client",
      "kv_try_get_callback",
      "kv_try_get_user_arg",
    ),
  ],
  Client_Destroy: [11, words("client")],
  Client_PlatformName: [12, words("client", "platform_name", "platform_name_size")],
  Client_PlatformVersion: [14, words("client", "platform_version", "platform_version_size")],
  Client_Devices: [15, words("client", "devices", "num_devices")],
  Client_AddressableDevices: [16, words("client", "addressable_devices", "num_addressable_devices")],
  Client_Compile: [20, words("client", "program", "compile_options", "compile_options_size", "executable")],
  Client_BufferFromHostBuffer: [
    22,
    {
      size: 120,
      fields: {
        client: [16],
        data: [24],
        type: [32, 4],
        dims: [40],
        num_dims: [48],
        byte_strides: [56],
        num_byte_strides: [64],
        host_buffer_semantics: [72, 4],
        device: [80],
        memory: [88],
        device_layout: [96],
        done_with_host_buffer: [104],
        buffer: [112],
      },
    },
  ],
  DeviceDescription_Id: [23, { size: 28, fields: { device_description: [16], id: [24, 4] } }],
  DeviceDescription_ProcessIndex: [24, { size: 28, fields: { device_description: [16], process_index: [24, 4] } }],
  DeviceDescription_Kind: [26, words("device_description", "device_kind", "device_kind_size")],
  DeviceDescription_ToString: [28, words("device_description", "to_string", "to_string_size")],
  Device_GetDescription: [29, words("device", "device_description")],
  Device_MemoryStats: [34, { size: 201, fields: { device: [16], bytes_limit: [80], bytes_limit_is_set: [88, 1] } }],
  Executable_Destroy: [40, words("executable")],
  Executable_NumOutputs: [44, words("executable", "num_outputs")],
  Executable_Serialize: [
    49,
    words(
      "executable",
      "serialized_bytes",
      "serialized_bytes_size",
      "serialized_executable",
      "serialized_executable_deleter",
    ),
  ],
  LoadedExecutable_Destroy: [50, words("executable")],
  LoadedExecutable_GetExecutable: [51, words("loaded_executable", "executable")],
  LoadedExecutable_Execute: [
    55,
    words(
      "executable",
      "options",
      "argument_lists",
      "num_devices",
      "num_args",
      "output_lists",
      "device_complete_events",
      "execute_device",
    ),
  ],
  Executable_DeserializeAndLoad: [
    56,
    words(
      "client",
      "serialized_executable",
      "serialized_executable_size",
      "loaded_executable",
      "overridden_serialized_compile_options",
      "overridden_serialized_compile_options_size",
      "load_options",
    ),
  ],
  Buffer_Destroy: [58, words("buffer")],
  Buffer_ToHostBuffer: [70, words("src", "host_layout", "dst", "dst_size", "event")],
  Executable_GetCompiledMemoryStats: [
    96,
    {
      size: 144,
      fields: {
        executable: [16],
        argument_size_in_bytes: [32],
        output_size_in_bytes: [40],
        alias_size_in_bytes: [48],
        temp_size_in_bytes: [56],
      },
    },
  ],
} as const satisfies Readonly<Record<string, readonly [slot: number, layout: Layout]>>;

/** Structures that arguments point to. */
const structures = {
  Program: { size: 48, fields: { code: [16], code_size: [24], format: [32], format_size: [40] } },
  ExecuteOptions: { size: 144, fields: {} },
  NamedValue: {
    size: 56,
    fields: { name: [16], name_size: [24], type: [32, 4], value: [40], value_size: [48] },
  },
} as const satisfies Readonly<Record<string, Layout>>;

export type Call = keyof typeof calls;

/** Where the table of calls begins, after its size, its extensions and the version. */
const tableStart = 40;

/** What a plugin answers instead of doing what it was asked. Codes are those of gRPC. */
export class PluginError extends Error {
  constructor(
    readonly code: number,
    message: string,
  ) {
    super(message);
  }
}

/** The address of bytes that stay where they are. */
export type Address = bigint;

/** What a structure is given, by the names of its fields. */
export type Fields = Readonly<Record<string, Address | number>>;

/** What a call has left in its arguments, by field. */
export type Answer = (field: string) => Address;

export interface NamedNumbers {
  readonly bytes: Buffer;
  readonly count: number;
  readonly names: readonly Buffer[];
}

/** A plugin that is loaded. Addresses are valid as long as what they point to. */
export interface Plugin {
  readonly version: readonly [major: number, minor: number];
  call(name: Call, fields: Fields): Answer;
  /** The same on a thread of its own: for calls that take long. */
  callLong(name: Call, fields: Fields): Promise<Answer>;
  /** Calls what a plugin gave to free something of its own with. */
  release(deleter: Address, of: Address): void;
  addressOf(bytes: ArrayBufferView): Address;
  /** A structure with fields, its size written in front. Its bytes must be kept as long as they are used. */
  structure(name: keyof typeof structures, fields: Fields): Buffer;
  /** Options of whole numbers. Their bytes and names must be kept as long as they are used. */
  namedNumbers(values: Readonly<Record<string, number>>): NamedNumbers;
  /** A copy of bytes at an address. */
  bytesAt(address: Address, count: number): Buffer;
  textAt(address: Address, count: Address): string;
}

/** Libraries, kept for as long as the process lives: one that is unloaded takes the code of running threads with it. */
const loaded = new Set<object>();

/** Bytes of stack for a call on a thread of its own, as many as a thread usually has: compilers recurse, and the interface gives 128 KiB. */
const stackOfLongCalls = 2 ** 23;

/** An optional package: asked for only where it was found. */
export function loadKoffi(): Koffi {
  const koffi = createRequire(import.meta.url)("koffi") as Koffi;
  if ((koffi.config().async_stack_size ?? 0) >= stackOfLongCalls) return koffi;
  try {
    koffi.config({ async_stack_size: stackOfLongCalls });
  } catch {
    // It takes no settings after its first library, which the program that this one is part of may have loaded.
  }
  return koffi;
}

/** @throws whatever the library throws while it loads: ask in a process of its own first. */
export function loadPlugin(path: string): Plugin {
  // What XLA remarks to its own makers is no matter of the user's; errors come back as codes.
  process.env.TF_CPP_MIN_LOG_LEVEL ??= "2";
  const koffi = loadKoffi();
  const form = koffi.proto("void *(void *arguments)");
  const free = koffi.proto("void (void *of)");
  const library = koffi.load(path);
  loaded.add(library);
  const api = library.func("GetPjrtApi", "void *", [])() as Address;
  const bytesAt = (address: Address, count: number): Buffer => Buffer.from(koffi.view(address, count).slice(0));
  const top = bytesAt(api, tableStart);
  const length = Number(top.readBigUInt64LE(0));
  const table = bytesAt(api, length).subarray(tableStart);
  const version = [top.readInt32LE(32), top.readInt32LE(36)] as const;
  // A caller knows how arguments of one major version lie.
  if (version[0] !== 0) throw new PluginError(12, `the plugin has version ${version.join(".")} of PJRT, not 0`);
  const functions = new Map<Call, Foreign>();
  const addressOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Address =>
    byteLength === 0 ? 0n : (koffi.address(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)) as Address);

  const functionOf = (name: Call): Foreign => {
    const known = functions.get(name);
    if (known) return known;
    const at = calls[name][0] * 8;
    const address = at + 8 <= table.length ? table.readBigUInt64LE(at) : 0n;
    if (address === 0n) throw new PluginError(12, `the plugin, version ${version.join(".")}, has no PJRT_${name}`);
    const made = koffi.decode(address, form) as Foreign;
    functions.set(name, made);
    return made;
  };
  const textAt = (address: Address, count: Address): string =>
    address === 0n || count === 0n ? "" : bytesAt(address, Number(count)).toString();

  /** Throws what an error says, and gives it back. */
  const check = (error: Address | null): void => {
    if (!error) return;
    const given = written(calls.Error_Message[1], { error });
    functionOf("Error_Message")(given);
    const text = textAt(
      fieldOf(calls.Error_Message[1], given, "message"),
      fieldOf(calls.Error_Message[1], given, "message_size"),
    );
    const coded = written(calls.Error_GetCode[1], { error });
    functionOf("Error_GetCode")(coded);
    const code = Number(fieldOf(calls.Error_GetCode[1], coded, "code"));
    functionOf("Error_Destroy")(written(calls.Error_Destroy[1], { error }));
    throw new PluginError(code, text);
  };

  const plugin: Plugin = {
    version,
    addressOf,
    bytesAt,
    textAt,
    structure: (name, fields) => written(structures[name], fields),
    namedNumbers(values) {
      const names = Object.keys(values).map((name) => Buffer.from(name));
      const structure = (value: number, i: number): Buffer => {
        const name = names[i] as Buffer;
        // 1: a whole number of 64 bits, alone.
        const fields = { name: addressOf(name), name_size: name.length, type: 1, value, value_size: 1 };
        return written(structures.NamedValue, fields);
      };
      const all = Object.values(values).map(structure);
      return { bytes: Buffer.concat(all), count: all.length, names };
    },
    call(name, fields) {
      const layout: Layout = calls[name][1];
      const given = written(layout, fields);
      check(functionOf(name)(given));
      return (field) => fieldOf(layout, given, field);
    },
    release: (deleter, of) => void koffi.call(deleter, free, of),
    callLong(name, fields) {
      const layout: Layout = calls[name][1];
      const given = written(layout, fields);
      return new Promise((resolve, reject) => {
        functionOf(name).async(given, (failure: Error | null, error: Address | null) => {
          try {
            if (failure) throw failure;
            check(error);
            resolve((field) => fieldOf(layout, given, field));
          } catch (thrown) {
            reject(thrown as Error);
          }
        });
      });
    },
  };
  plugin.call("Plugin_Initialize", {});
  return plugin;
}

/** Ends the process without waiting for calls on threads of their own, as its usual end does. */
export function endProcess(code: number): void {
  loadKoffi().load(null).func("_exit", "void", ["int"])(code);
}

/** Waits for an event, and frees it. @throws PluginError where what it stands for failed */
export async function eventOver(plugin: Plugin, event: Address): Promise<void> {
  try {
    await plugin.callLong("Event_Await", { event });
  } finally {
    plugin.call("Event_Destroy", { event });
  }
}

/** Keeps memory that only the plugin reads from being collected until this call. */
export function keepAlive(..._: readonly ArrayBufferView[]): void {}

function written({ size, fields: places }: Layout, fields: Fields): Buffer {
  const bytes = Buffer.alloc(Math.ceil(size / 8) * 8);
  bytes.writeBigUInt64LE(BigInt(size), 0);
  for (const [name, value] of Object.entries(fields)) {
    const [offset, width = 8] = places[name] as NonNullable<Layout["fields"][string]>;
    if (width === 8) bytes.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)), offset);
    else if (width === 4) bytes.writeInt32LE(Number(value), offset);
    else bytes.writeUInt8(Number(value), offset);
  }
  return bytes;
}

function fieldOf({ fields }: Layout, bytes: Buffer, name: string): Address {
  const [offset, width = 8] = fields[name] as NonNullable<Layout["fields"][string]>;
  if (width === 8) return bytes.readBigUInt64LE(offset);
  return BigInt(width === 4 ? bytes.readInt32LE(offset) : bytes.readUInt8(offset));
}

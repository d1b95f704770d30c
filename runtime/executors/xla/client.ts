/** Programs, buffers and runs on devices of a plugin: what `session.ts` needs of PJRT, in its words. */

import { arrayTypes, type DType, sizeOf, type TypedArray } from "../../../graph/index.js";
import { type Address, type Plugin, PluginError } from "./c-api.js";
import { leavable } from "./compiling.js";
import type { KeptExecutables } from "./kept-executables.js";

/** A tensor, or a part of one, on a device. */
export type DeviceBuffer = Address;

/** Bytes on each device that runs a compiled program. */
export interface CompiledMemory {
  /** State and feeds. */
  readonly arguments: number;
  readonly outputs: number;
  /** Of the outputs, those that take the place of arguments. */
  readonly aliased: number;
  /** What lives between them at the fullest moment. */
  readonly temporaries: number;
}

/** A compiled program. */
export interface Executable {
  /** Null where a plugin does not say. */
  readonly memory: CompiledMemory | null;
  /**
   * Takes and gives buffers in order, a list for each device. Buffers of arguments that the program may overwrite are gone, but for their
   * handles.
   */
  run(inputs: readonly (readonly DeviceBuffer[])[]): Promise<readonly (readonly DeviceBuffer[])[]>;
  /** As bytes, of which the same plugin makes it again. @throws PluginError where a plugin has no such form. */
  serialized(): Buffer;
  close(): void;
}

export interface Client {
  /** `cpu`, `cuda`, `rocm`, `tpu` ... */
  readonly platform: string;
  readonly version: string;
  /** The first device, in the plugin's words. */
  readonly device: string;
  /** How many devices there are. */
  readonly devices: number;
  /**
   * @param devices so many of the first devices run it together
   * @throws PluginError for a program that does not compile.
   */
  compile(program: string, devices: number): Promise<Executable>;
  /** @param device counted from 0 */
  put(data: TypedArray, dtype: DType, shape: readonly number[], device: number): DeviceBuffer;
  /** Bytes that the first device can give; null where a plugin does not say, as that for processors. */
  readonly memory: number | null;
  read(buffer: DeviceBuffer, dtype: DType, shape: readonly number[]): Promise<TypedArray>;
  free(buffer: DeviceBuffer): void;
  /** While something is compiled, what the plugin holds is given back when that is done. */
  close(): void;
}

/** PJRT_Buffer_Type */
const types: Readonly<Record<DType, number>> = { bool: 1, int32: 4, float32: 11 };

/**
 * CompileOptionsProto with executable_build_options { num_replicas: 1, num_partitions: devices }, and for several devices { use_spmd_partitioning: true,
 * use_shardy_partitioner: true }.
 */
function compileOptionsFor(devices: number): Buffer {
  const parts = [0x20, 0x01, 0x28, devices, ...(devices > 1 ? [0x30, 0x01, 0x98, 0x01, 0x01] : [])];
  return Buffer.from([0x1a, parts.length, ...parts]);
}

/** A code of gRPC. */
const cancelled = 1;

/** A number of one byte in that form. */
export const mostDevices = 127;

/** @param kept if absent, everything is compiled. */
export function openClient(plugin: Plugin, kept?: KeptExecutables): Client {
  const client = plugin.call("Client_Create", {})("client");
  const own = { client };
  const [named, versioned] = [plugin.call("Client_PlatformName", own), plugin.call("Client_PlatformVersion", own)];
  const devices = plugin.call("Client_AddressableDevices", own);
  if (devices("num_addressable_devices") === 0n) throw new PluginError(5, "the plugin has no device");
  const count = Number(devices("num_addressable_devices"));
  const list = plugin.bytesAt(devices("addressable_devices"), 8 * count);
  const addresses = Array.from({ length: count }, (_, i) => list.readBigUInt64LE(8 * i));
  const options = plugin.structure("ExecuteOptions", {});

  const finished = async (event: Address): Promise<void> => {
    try {
      await plugin.callLong("Event_Await", { event });
    } finally {
      plugin.call("Event_Destroy", { event });
    }
  };

  const version = plugin.textAt(versioned("platform_version"), versioned("platform_version_size"));

  let compiling = 0;
  let isClosed = false;
  const closeWhenIdle = (): void => {
    if (isClosed && compiling === 0) plugin.call("Client_Destroy", own);
  };

  const compiled = async (program: string, compileOptions: Buffer): Promise<Address> => {
    const [code, format] = [Buffer.from(program), Buffer.from("mlir")];
    const given = plugin.structure("Program", {
      code: plugin.addressOf(code),
      code_size: code.length,
      format: plugin.addressOf(format),
      format_size: format.length,
    });
    const answer = await plugin.callLong("Client_Compile", {
      client,
      program: plugin.addressOf(given),
      compile_options: plugin.addressOf(compileOptions),
      compile_options_size: compileOptions.length,
    });
    // The compiler reads them on its own thread until then.
    keepAlive(code, format, given, compileOptions);
    return answer("executable");
  };

  /** What was kept, loaded again; null where the plugin does not take it. */
  const reloaded = async (executable: Buffer): Promise<Address | null> => {
    try {
      const answer = await plugin.callLong("Executable_DeserializeAndLoad", {
        client,
        serialized_executable: plugin.addressOf(executable),
        serialized_executable_size: executable.length,
      });
      keepAlive(executable);
      return answer("loaded_executable");
    } catch (error) {
      if (error instanceof PluginError) return null;
      throw error;
    }
  };

  const made = async (program: string, many: number): Promise<Executable> => {
    const compileOptions = compileOptionsFor(many);
    if (!kept) return opened(plugin, await compiled(program, compileOptions), options, finished);
    const kind = kindOf(plugin, addresses[0] as Address);
    const name = kept.nameOf(version, kind, program, compileOptions, process.env.XLA_FLAGS ?? "");
    const before = kept.read(name);
    const again = before && (await reloaded(before));
    if (again !== null) return opened(plugin, again, options, finished);
    const executable = opened(plugin, await compiled(program, compileOptions), options, finished);
    keep(kept, name, executable);
    return executable;
  };

  return {
    platform: plugin.textAt(named("platform_name"), named("platform_name_size")),
    version,
    device: nameOf(plugin, addresses[0] as Address),
    devices: count,
    memory: memoryOf(plugin, addresses[0] as Address),
    async compile(program, many) {
      compiling += 1;
      try {
        const executable = await leavable(() => made(program, many));
        if (!isClosed) return executable;
        executable.close();
        throw new PluginError(cancelled, "the device was closed while it compiled");
      } finally {
        compiling -= 1;
        closeWhenIdle();
      }
    },
    put(data, dtype, shape, device) {
      const values = data instanceof arrayTypes[dtype] ? data : arrayTypes[dtype].from(data);
      const dims = BigInt64Array.from(shape.length === 0 ? [0n] : shape.map(BigInt));
      // A buffer of nothing has no address, and none is read.
      const source = values.length === 0 ? new Uint8Array(8) : values;
      const copied = plugin.call("Client_BufferFromHostBuffer", {
        ...{ client, device: addresses[device] as Address, data: plugin.addressOf(source), type: types[dtype] },
        ...{ dims: plugin.addressOf(dims), num_dims: shape.length },
        // The plugin copies before it answers: the array may change at once.
        host_buffer_semantics: 0,
      });
      const event = copied("done_with_host_buffer");
      if (event !== 0n) plugin.call("Event_Destroy", { event });
      keepAlive(source, dims);
      return copied("buffer");
    },
    async read(buffer, dtype, shape) {
      const values = new arrayTypes[dtype](sizeOf(shape));
      if (values.length === 0) return values;
      const given = { src: buffer, dst: plugin.addressOf(values), dst_size: values.byteLength };
      await finished(plugin.call("Buffer_ToHostBuffer", given)("event"));
      keepAlive(values);
      return values;
    },
    free: (buffer) => void plugin.call("Buffer_Destroy", { buffer }),
    close() {
      isClosed = true;
      closeWhenIdle();
    },
  };
}

function opened(
  plugin: Plugin,
  loaded: Address,
  options: Buffer,
  finished: (event: Address) => Promise<void>,
): Executable {
  const executable = plugin.call("LoadedExecutable_GetExecutable", { loaded_executable: loaded })("executable");
  const outputs = Number(plugin.call("Executable_NumOutputs", { executable })("num_outputs"));
  return {
    memory: compiledMemory(plugin, executable),
    async run(inputs) {
      const lists = inputs.map((ofDevice) => BigUint64Array.from(ofDevice.length === 0 ? [0n] : ofDevice));
      const results = inputs.map(() => new BigUint64Array(Math.max(1, outputs)));
      const rows = BigUint64Array.from(lists, plugin.addressOf);
      const resultRows = BigUint64Array.from(results, plugin.addressOf);
      const events = new BigUint64Array(inputs.length);
      plugin.call("LoadedExecutable_Execute", {
        executable: loaded,
        options: plugin.addressOf(options),
        argument_lists: plugin.addressOf(rows),
        num_devices: inputs.length,
        num_args: inputs[0]?.length ?? 0,
        output_lists: plugin.addressOf(resultRows),
        device_complete_events: plugin.addressOf(events),
      });
      for (const event of events) await finished(event);
      keepAlive(...lists, ...results, rows, resultRows, events);
      return results.map((ofDevice) => [...ofDevice].slice(0, outputs));
    },
    serialized() {
      const answer = plugin.call("Executable_Serialize", { executable });
      const bytes = plugin.bytesAt(answer("serialized_bytes"), Number(answer("serialized_bytes_size")));
      plugin.release(answer("serialized_executable_deleter"), answer("serialized_executable"));
      return bytes;
    },
    close() {
      plugin.call("Executable_Destroy", { executable });
      plugin.call("LoadedExecutable_Destroy", { executable: loaded });
    },
  };
}

function keep(kept: KeptExecutables, name: string, executable: Executable): void {
  try {
    kept.write(name, executable.serialized());
  } catch (error) {
    // A plugin need not be able to; then every start compiles.
    if (!(error instanceof PluginError)) throw error;
  }
}

/** What a plugin says, or null where it has no such call. */
function said<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof PluginError) return null;
    throw error;
  }
}

const compiledMemory = (plugin: Plugin, executable: Address): CompiledMemory | null =>
  said(() => {
    const answer = plugin.call("Executable_GetCompiledMemoryStats", { executable });
    return {
      arguments: Number(answer("argument_size_in_bytes")),
      outputs: Number(answer("output_size_in_bytes")),
      aliased: Number(answer("alias_size_in_bytes")),
      temporaries: Number(answer("temp_size_in_bytes")),
    };
  });

const memoryOf = (plugin: Plugin, device: Address): number | null =>
  said(() => {
    const answer = plugin.call("Device_MemoryStats", { device });
    const limit = Number(answer("bytes_limit"));
    return answer("bytes_limit_is_set") === 0n || limit <= 0 ? null : limit;
  });

const descriptionOf = (plugin: Plugin, device: Address): Address =>
  plugin.call("Device_GetDescription", { device })("device_description");

/** `cpu`, `NVIDIA H200`: what machine code is made for. */
function kindOf(plugin: Plugin, device: Address): string {
  const said = plugin.call("DeviceDescription_Kind", { device_description: descriptionOf(plugin, device) });
  return plugin.textAt(said("device_kind"), said("device_kind_size"));
}

function nameOf(plugin: Plugin, device: Address): string {
  const description = descriptionOf(plugin, device);
  const said = plugin.call("DeviceDescription_ToString", { device_description: description });
  return plugin.textAt(said("to_string"), said("to_string_size"));
}

/** Memory that only the plugin reads is still wanted here. */
function keepAlive(..._: readonly ArrayBufferView[]): void {}

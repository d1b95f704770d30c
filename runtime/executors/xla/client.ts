/** Programs, buffers and runs on one device of a plugin: what `session.ts` needs of PJRT, in its words. */

import { arrayTypes, type DType, sizeOf, type TypedArray } from "../../../graph/index.js";
import { type Address, type Plugin, PluginError } from "./c-api.js";
import type { KeptExecutables } from "./kept-executables.js";

/** A tensor on the device. */
export type DeviceBuffer = Address;

/** A compiled program. */
export interface Executable {
  /** Gives the results, in order. Buffers of arguments that the program may overwrite are gone, but for their handles. */
  run(inputs: readonly DeviceBuffer[]): Promise<readonly DeviceBuffer[]>;
  /** As bytes, of which the same plugin makes it again. @throws PluginError where a plugin has no such form. */
  serialized(): Buffer;
  close(): void;
}

export interface Client {
  /** `cpu`, `cuda`, `rocm`, `tpu` ... */
  readonly platform: string;
  readonly version: string;
  /** The device that is used, in the plugin's words. */
  readonly device: string;
  /** @throws PluginError for a program that does not compile. */
  compile(program: string): Promise<Executable>;
  put(data: TypedArray, dtype: DType, shape: readonly number[]): DeviceBuffer;
  read(buffer: DeviceBuffer, dtype: DType, shape: readonly number[]): Promise<TypedArray>;
  free(buffer: DeviceBuffer): void;
  close(): void;
}

/** PJRT_Buffer_Type */
const types: Readonly<Record<DType, number>> = { bool: 1, int32: 4, float32: 11 };

/** CompileOptionsProto with executable_build_options { num_replicas: 1, num_partitions: 1 }. */
const compileOptions = Buffer.from([0x1a, 0x04, 0x20, 0x01, 0x28, 0x01]);

/** @param kept if absent, everything is compiled. */
export function openClient(plugin: Plugin, kept?: KeptExecutables): Client {
  const client = plugin.call("Client_Create", {})("client");
  const own = { client };
  const [named, versioned] = [plugin.call("Client_PlatformName", own), plugin.call("Client_PlatformVersion", own)];
  const devices = plugin.call("Client_AddressableDevices", own);
  if (devices("num_addressable_devices") === 0n) throw new PluginError(5, "the plugin has no device");
  const device = plugin.bytesAt(devices("addressable_devices"), 8).readBigUInt64LE(0);
  const options = plugin.structure("ExecuteOptions", {});

  const finished = async (event: Address): Promise<void> => {
    try {
      await plugin.callLong("Event_Await", { event });
    } finally {
      plugin.call("Event_Destroy", { event });
    }
  };

  const version = plugin.textAt(versioned("platform_version"), versioned("platform_version_size"));

  const compiled = async (program: string): Promise<Address> => {
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
    keepAlive(code, format, given);
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

  return {
    platform: plugin.textAt(named("platform_name"), named("platform_name_size")),
    version,
    device: nameOf(plugin, device),
    async compile(program) {
      if (!kept) return opened(plugin, await compiled(program), options, finished);
      const name = kept.nameOf(version, program, compileOptions);
      const before = kept.read(name);
      const again = before && (await reloaded(before));
      if (again !== null) return opened(plugin, again, options, finished);
      const executable = opened(plugin, await compiled(program), options, finished);
      keep(kept, name, executable);
      return executable;
    },
    put(data, dtype, shape) {
      const values = data instanceof arrayTypes[dtype] ? data : arrayTypes[dtype].from(data);
      const dims = BigInt64Array.from(shape.length === 0 ? [0n] : shape.map(BigInt));
      // A buffer of nothing has no address, and none is read.
      const source = values.length === 0 ? new Uint8Array(8) : values;
      const copied = plugin.call("Client_BufferFromHostBuffer", {
        ...{ client, device, data: plugin.addressOf(source), type: types[dtype] },
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
    close: () => void plugin.call("Client_Destroy", own),
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
    async run(inputs) {
      const list = BigUint64Array.from(inputs.length === 0 ? [0n] : inputs);
      const results = new BigUint64Array(Math.max(1, outputs));
      const [rows, resultRows, events] = [
        BigUint64Array.of(plugin.addressOf(list)),
        BigUint64Array.of(plugin.addressOf(results)),
        new BigUint64Array(1),
      ];
      plugin.call("LoadedExecutable_Execute", {
        executable: loaded,
        options: plugin.addressOf(options),
        argument_lists: plugin.addressOf(rows),
        num_devices: 1,
        num_args: inputs.length,
        output_lists: plugin.addressOf(resultRows),
        device_complete_events: plugin.addressOf(events),
      });
      await finished(events[0] as Address);
      keepAlive(list, results, rows, resultRows, events);
      return [...results].slice(0, outputs);
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

function nameOf(plugin: Plugin, device: Address): string {
  const description = plugin.call("Device_GetDescription", { device })("device_description");
  const said = plugin.call("DeviceDescription_ToString", { device_description: description });
  return plugin.textAt(said("to_string"), said("to_string_size"));
}

/** Memory that only the plugin reads is still wanted here. */
function keepAlive(..._: readonly ArrayBufferView[]): void {}

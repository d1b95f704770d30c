/** Programs, buffers and runs on devices of a plugin: what `session.ts` needs of PJRT, in its words. */

import { arrayTypes, type DType, sizeOf, type TypedArray } from "../../../graph/index.js";
import type { Hosts } from "../../hosts/hosts.js";
import { type Address, type Answer, type Call, type Fields, type Plugin, PluginError } from "./c-api.js";
import { compileOptionsFor } from "./compile-options.js";
import { leavable } from "./compiling.js";
import { type Device, devicesOf, kindOf, memoryOf, nameOf, type Place, said } from "./devices.js";
import type { KeptExecutables } from "./kept-executables.js";
import { keyValueFunctions } from "./key-values.js";

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
  /** How many devices there are on this host. */
  readonly devices: number;
  /** How many hosts there are whose devices reach each other. */
  readonly hosts: number;
  /**
   * @param devices so many of the first devices run it together
   * @throws PluginError for a program that does not compile.
   */
  compile(program: string, devices: number): Promise<Executable>;
  /**
   * @param devices so many of the first devices of each host run a copy of it. A run is given what lies on those of this host, and ends when all
   * hosts have run it.
   */
  compileForAll(program: string, devices: number): Promise<Executable>;
  /** @param device counted from 0 */
  put(data: TypedArray, dtype: DType, shape: readonly number[], device: number): DeviceBuffer;
  /** Bytes that the first device can give; null where a plugin does not say, as that for processors. */
  readonly memory: number | null;
  read(buffer: DeviceBuffer, dtype: DType, shape: readonly number[]): Promise<TypedArray>;
  free(buffer: DeviceBuffer): void;
  /** While something is compiled, or summed over hosts, what the plugin holds is given back when that is done. */
  close(): void;
}

/** PJRT_Buffer_Type */
const types: Readonly<Record<DType, number>> = { bool: 1, int32: 4, float32: 11 };

/** A code of gRPC. */
const cancelled = 1;

/** @param kept if absent, everything is compiled. */
export function openClient(plugin: Plugin, kept?: KeptExecutables): Client {
  const client = plugin.call("Client_Create", {})("client");
  return clientAt(plugin, client, { host: 0, devices: [devicesOf(plugin, client, "addressable_devices")] }, kept);
}

/**
 * Opens the plugins of all hosts together: each then knows the devices of all.
 * @throws PluginError where a plugin reaches no other process
 */
export async function openClientAmong(
  plugin: Plugin,
  { host, count, keyValues, until }: Pick<Hosts, "host" | "count" | "keyValues" | "until">,
  kept?: KeptExecutables,
): Promise<Client> {
  const functions = await keyValueFunctions(keyValues);
  const options = plugin.namedNumbers({ node_id: host, num_nodes: count });
  // It waits for the others, and is never over where one of them is lost.
  const created = leavable(() =>
    plugin.callLong("Client_Create", {
      ...{ create_options: plugin.addressOf(options.bytes), num_options: options.count },
      ...{ kv_get_callback: functions.get, kv_try_get_callback: functions.tryGet, kv_put_callback: functions.put },
    }),
  );
  try {
    const client = (await until(created))("client");
    keepAlive(options.bytes, ...options.names);
    const all = devicesOf(plugin, client, "devices");
    const devices = Array.from({ length: count }, (_, at) => all.filter(({ process }) => process === at));
    return clientAt(plugin, client, { host, devices }, kept, () => void functions.close());
  } catch (error) {
    // Otherwise it may still wait in one of them.
    if (error instanceof PluginError) await functions.close();
    throw error;
  }
}

/** @param closed hears when the client is closed */
export function clientAt(
  plugin: Plugin,
  client: Address,
  place: Place,
  kept?: KeptExecutables,
  closed: () => void = () => {},
): Client {
  const own = { client };
  const [named, versioned] = [plugin.call("Client_PlatformName", own), plugin.call("Client_PlatformVersion", own)];
  const devices = place.devices[place.host] ?? [];
  const [first] = devices;
  if (first === undefined) throw new PluginError(5, "the plugin has no device");
  const isAlone = place.devices.length === 1;
  const options = plugin.structure("ExecuteOptions", {});

  const finished = async (event: Address): Promise<void> => {
    try {
      await plugin.callLong("Event_Await", { event });
    } finally {
      plugin.call("Event_Destroy", { event });
    }
  };

  const idsOf = (all: Place["devices"], many: number): readonly number[] =>
    all.flatMap((ofHost) => ofHost.slice(0, many).map(({ id }) => id));
  /** Where other hosts are needed, the plugin waits for them on the calling thread. */
  const start = (name: Call, fields: Fields): Answer | Promise<Answer> =>
    isAlone ? plugin.call(name, fields) : plugin.callLong(name, fields);

  const version = plugin.textAt(versioned("platform_version"), versioned("platform_version_size"));

  let uses = 0;
  let isClosed = false;
  const closeWhenIdle = (): void => {
    if (!isClosed || uses > 0) return;
    plugin.call("Client_Destroy", own);
    closed();
  };
  /** Compiles, or sums over hosts: where one of these is lost, that is never over. */
  const inUse = async <T>(work: () => Promise<T>): Promise<T> => {
    uses += 1;
    try {
      return await leavable(work);
    } finally {
      uses -= 1;
      closeWhenIdle();
    }
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

  const load = async (program: string, compileOptions: Buffer): Promise<Executable> => {
    const ready = (executable: Address): Executable => opened(plugin, executable, options, { start, finished });
    if (!kept) return ready(await compiled(program, compileOptions));
    const name = kept.nameOf(
      version,
      kindOf(plugin, first.address),
      program,
      compileOptions,
      process.env.XLA_FLAGS ?? "",
    );
    const before = kept.read(name);
    const again = before && (await reloaded(before));
    if (again !== null) return ready(again);
    const executable = ready(await compiled(program, compileOptions));
    keep(kept, name, executable);
    return executable;
  };

  return {
    platform: plugin.textAt(named("platform_name"), named("platform_name_size")),
    version,
    device: nameOf(plugin, first.address),
    devices: devices.length,
    memory: memoryOf(plugin, first.address),
    hosts: place.devices.length,
    async compile(program, many) {
      const ids = isAlone ? null : idsOf([devices], many);
      const executable = await inUse(() => load(program, compileOptionsFor({ copies: 1, parts: many, ids })));
      if (!isClosed) return executable;
      executable.close();
      throw new PluginError(cancelled, "the device was closed while it compiled");
    },
    async compileForAll(program, many) {
      const ids = idsOf(place.devices, many);
      const executable = await inUse(() => load(program, compileOptionsFor({ copies: ids.length, parts: 1, ids })));
      return {
        ...executable,
        run: (inputs) => inUse(() => executable.run(inputs)),
        close: () => {
          if (uses === 0) executable.close();
        },
      };
    },
    put(data, dtype, shape, device) {
      const values = data instanceof arrayTypes[dtype] ? data : arrayTypes[dtype].from(data);
      const dims = BigInt64Array.from(shape.length === 0 ? [0n] : shape.map(BigInt));
      // A buffer of nothing has no address, and none is read.
      const source = values.length === 0 ? new Uint8Array(8) : values;
      const copied = plugin.call("Client_BufferFromHostBuffer", {
        ...{ client, device: (devices[device] as Device).address, data: plugin.addressOf(source), type: types[dtype] },
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
  {
    start,
    finished,
  }: {
    readonly start: (name: Call, fields: Fields) => Answer | Promise<Answer>;
    readonly finished: (event: Address) => Promise<void>;
  },
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
      await start("LoadedExecutable_Execute", {
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

/** Memory that only the plugin reads is still wanted here. */
function keepAlive(..._: readonly ArrayBufferView[]): void {}

/** A client of a plugin: its devices, and buffers on them. How programs are compiled and run is left to `executables.ts`. */

import { arrayTypes, type DType, sizeOf, type TypedArray } from "../../../graph/index.js";
import type { Hosts } from "../../hosts/hosts.js";
import { type Address, eventOver, keepAlive, type Plugin, PluginError } from "./c-api.js";
import { compileOptionsFor } from "./compile-options.js";
import { abandonedAtExit } from "./compiling.js";
import { type Device, devicesOf, kindOf, memoryOf, nameOf, type Place } from "./devices.js";
import { type DeviceBuffer, type Executable, loaderOf } from "./executables.js";
import type { KeptExecutables } from "./kept-executables.js";
import { keyValueFunctions } from "./key-values.js";

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
  const created = abandonedAtExit(() =>
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

  const idsOf = (all: Place["devices"], many: number): readonly number[] =>
    all.flatMap((ofHost) => ofHost.slice(0, many).map(({ id }) => id));
  const version = plugin.textAt(versioned("platform_version"), versioned("platform_version_size"));
  const load = loaderOf(plugin, {
    ...{ client, kept, startsLong: !isAlone },
    compilerNames: [version, kindOf(plugin, first.address)],
  });
  const usage = createUsage(() => {
    plugin.call("Client_Destroy", own);
    closed();
  });

  return {
    platform: plugin.textAt(named("platform_name"), named("platform_name_size")),
    version,
    device: nameOf(plugin, first.address),
    devices: devices.length,
    memory: memoryOf(plugin, first.address),
    hosts: place.devices.length,
    async compile(program, many) {
      const ids = isAlone ? null : idsOf([devices], many);
      const executable = await usage.during(() => load(program, compileOptionsFor({ copies: 1, parts: many, ids })));
      if (!usage.isClosed()) return executable;
      executable.close();
      throw new PluginError(cancelled, "the device was closed while it compiled");
    },
    async compileForAll(program, many) {
      const ids = idsOf(place.devices, many);
      const executable = await usage.during(() =>
        load(program, compileOptionsFor({ copies: ids.length, parts: 1, ids })),
      );
      return {
        ...executable,
        run: (inputs) => usage.during(() => executable.run(inputs)),
        close: () => {
          if (!usage.isUsed()) executable.close();
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
      await eventOver(plugin, plugin.call("Buffer_ToHostBuffer", given)("event"));
      keepAlive(values);
      return values;
    },
    free: (buffer) => void plugin.call("Buffer_Destroy", { buffer }),
    close: usage.close,
  };
}

/** Counts what a client is used for. `release` is called once it is closed and nothing uses it any more. */
function createUsage(release: () => void) {
  let uses = 0;
  let isClosed = false;
  const releaseWhenIdle = (): void => {
    if (isClosed && uses === 0) release();
  };
  return {
    isUsed: () => uses > 0,
    isClosed: () => isClosed,
    /** Compiles, or sums over hosts: a sum that needs a host that was lost never ends. */
    async during<T>(work: () => Promise<T>): Promise<T> {
      uses += 1;
      try {
        return await abandonedAtExit(work);
      } finally {
        uses -= 1;
        releaseWhenIdle();
      }
    },
    close(): void {
      isClosed = true;
      releaseWhenIdle();
    },
  };
}

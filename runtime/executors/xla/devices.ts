/** Devices of a plugin, of this host and of others: numbers, names, memory. What they compute is left to `client.ts`. */

import { type Address, type Plugin, PluginError } from "./c-api.js";

/** A device of this host, or of another one. */
export interface Device {
  readonly id: number;
  readonly address: Address;
}

/** With the number of the host that it belongs to. */
interface DeviceOfHost extends Device {
  readonly process: number;
}

/** Where a client stands among those whose devices it reaches. */
export interface Place {
  readonly host: number;
  /** By host. */
  readonly devices: readonly (readonly Device[])[];
}

/** What a call gives, or null where the plugin does not support it. */
export function ifSupported<T>(call: () => T): T | null {
  try {
    return call();
  } catch (error) {
    if (error instanceof PluginError) return null;
    throw error;
  }
}

export const memoryOf = (plugin: Plugin, device: Address): number | null =>
  ifSupported(() => {
    const answer = plugin.call("Device_MemoryStats", { device });
    const limit = Number(answer("bytes_limit"));
    return answer("bytes_limit_is_set") === 0n || limit <= 0 ? null : limit;
  });

const descriptionOf = (plugin: Plugin, device: Address): Address =>
  plugin.call("Device_GetDescription", { device })("device_description");

/** `cpu`, `NVIDIA H200`: what machine code is made for. */
export function kindOf(plugin: Plugin, device: Address): string {
  const answer = plugin.call("DeviceDescription_Kind", { device_description: descriptionOf(plugin, device) });
  return plugin.textAt(answer("device_kind"), answer("device_kind_size"));
}

/** Devices of a client, in the order of their numbers. */
export function devicesOf(
  plugin: Plugin,
  client: Address,
  which: "devices" | "addressable_devices",
): readonly DeviceOfHost[] {
  const answer = plugin.call(which === "devices" ? "Client_Devices" : "Client_AddressableDevices", { client });
  const count = Number(answer(`num_${which}`));
  const list = plugin.bytesAt(answer(which), 8 * count);
  return Array.from({ length: count }, (_, i) => {
    const address = list.readBigUInt64LE(8 * i);
    const description = descriptionOf(plugin, address);
    const id = Number(plugin.call("DeviceDescription_Id", { device_description: description })("id"));
    const host = plugin.call("DeviceDescription_ProcessIndex", { device_description: description });
    return { id, address, process: Number(host("process_index")) };
  }).sort((a, b) => a.id - b.id);
}

export function nameOf(plugin: Plugin, device: Address): string {
  const description = descriptionOf(plugin, device);
  const answer = plugin.call("DeviceDescription_ToString", { device_description: description });
  return plugin.textAt(answer("to_string"), answer("to_string_size"));
}

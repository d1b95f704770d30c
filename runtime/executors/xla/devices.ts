/** What a plugin says of its devices, and of those of other hosts. What is done with them is said in `client.ts`. */

import { type Address, type Plugin, PluginError } from "./c-api.js";

/** A device of this host, or of another one. */
export interface Device {
  readonly id: number;
  readonly address: Address;
}

/** Where a client stands among those whose devices it reaches. */
export interface Place {
  readonly host: number;
  /** By host. */
  readonly devices: readonly (readonly Device[])[];
}

/** What a plugin says, or null where it has no such call. */
export function said<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch (error) {
    if (error instanceof PluginError) return null;
    throw error;
  }
}

export const memoryOf = (plugin: Plugin, device: Address): number | null =>
  said(() => {
    const answer = plugin.call("Device_MemoryStats", { device });
    const limit = Number(answer("bytes_limit"));
    return answer("bytes_limit_is_set") === 0n || limit <= 0 ? null : limit;
  });

const descriptionOf = (plugin: Plugin, device: Address): Address =>
  plugin.call("Device_GetDescription", { device })("device_description");

/** `cpu`, `NVIDIA H200`: what machine code is made for. */
export function kindOf(plugin: Plugin, device: Address): string {
  const said = plugin.call("DeviceDescription_Kind", { device_description: descriptionOf(plugin, device) });
  return plugin.textAt(said("device_kind"), said("device_kind_size"));
}

/** Devices of a client, in the order of their numbers. */
export function devicesOf(
  plugin: Plugin,
  client: Address,
  which: "devices" | "addressable_devices",
): readonly (Device & { readonly process: number })[] {
  const answer = plugin.call(which === "devices" ? "Client_Devices" : "Client_AddressableDevices", { client });
  const count = Number(answer(`num_${which}`));
  const list = plugin.bytesAt(answer(which), 8 * count);
  return Array.from({ length: count }, (_, i) => {
    const address = list.readBigUInt64LE(8 * i);
    const description = descriptionOf(plugin, address);
    const id = Number(plugin.call("DeviceDescription_Id", { device_description: description })("id"));
    const answered = plugin.call("DeviceDescription_ProcessIndex", { device_description: description });
    return { id, address, process: Number(answered("process_index")) };
  }).sort((a, b) => a.id - b.id);
}

export function nameOf(plugin: Plugin, device: Address): string {
  const description = descriptionOf(plugin, device);
  const said = plugin.call("DeviceDescription_ToString", { device_description: description });
  return plugin.textAt(said("to_string"), said("to_string_size"));
}

/** The xla executor: a whole step as one StableHLO module, compiled and run by a PJRT plugin for a processor, a GPU or a TPU. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Precision } from "../../../blocks/index.js";
import { invariant } from "../../../graph/index.js";
import type { Hosts } from "../../hosts/hosts.js";
import { packageRoot } from "../../package.js";
import { RunError } from "../../run-error.js";
import { ask, entryOf, type Probe, withComplaint } from "../attempt.js";
import type { Executor } from "../executor.js";
import { machineMemory } from "../machine-memory.js";
import type { Attempted } from "./attempt.js";
import { PluginError } from "./c-api.js";
import type { Client } from "./client.js";
import type { Division } from "./division.js";
import { findPlugin, pluginVariable } from "./plugins.js";

const missing = (why: string, remedy: string): Probe => ({
  executor: "xla",
  backend: "xla",
  present: false,
  accelerated: false,
  why,
  remedy,
});

const precisions: readonly Precision[] = ["bfloat16"];

const installKoffi = "npm install koffi@3 lets Node call it.";

/** A plugin may take long to find its devices. */
const seconds = 120;

/** Tries the plugin in a process of its own: some end it instead of saying what is wrong. */
export async function probeXla(): Promise<Probe> {
  const plugin = findPlugin();
  if (!plugin) {
    return missing(
      "no PJRT plugin was found",
      `\`mae plugin add\` fetches one for this machine's processor or accelerator; ${pluginVariable} names one that is here.`,
    );
  }
  if (!existsSync(plugin.path))
    return missing(
      `${plugin.path}, which ${plugin.from} names, does not exist`,
      `Name the library of a PJRT plugin in ${pluginVariable}.`,
    );
  if (entryOf("koffi") === undefined) return missing("the optional package koffi is not installed", installKoffi);
  const door = pathToFileURL(join(packageRoot, "dist", "xla-attempt.js")).href;
  const answer = await ask(
    `try {
       const { attempt } = await import(${JSON.stringify(door)});
       answer(await attempt(${JSON.stringify(plugin.path)}));
     } catch (error) {
       console.error(String(error.message).split("\\n")[0]);
       process.exit(1);
     }`,
    seconds,
  );
  if (answer.kind === "failed") {
    const why = `the plugin ${plugin.path} (${plugin.from}) does not work, ${withComplaint(answer.why, answer.complaints)}`;
    return missing(why, "Fetch the one for this machine with `mae plugin add`, with the driver that it needs.");
  }
  const found = JSON.parse(answer.text) as Attempted;
  return {
    executor: "xla",
    backend: "xla",
    present: true,
    accelerated: found.platform !== "cpu",
    precisions,
    device: deviceName(found),
  };
}

const deviceName = ({ platform, device, version }: Attempted): string =>
  `${device} (${platform}) through PJRT ${version.join(".")}`;

export interface XlaSettings extends Partial<Division> {
  /** The hosts whose devices sum by their own collectives; if absent, the plugin knows the devices of this process alone. */
  readonly collectives?: Hosts;
  /** Seconds after which a graph that is not compiled is given up; if absent, half an hour. The compiler itself stops only with the process. */
  readonly compileLimit?: number;
}

/**
 * @throws RunError `run/devices` where there are fewer devices, `run/hosts` where the plugin reaches no other hosts.
 * @throws whatever the plugin throws: ask `probeXla` first.
 */
export async function openXla({
  devices = 1,
  shardState = false,
  collectives,
  compileLimit,
}: XlaSettings = {}): Promise<Executor> {
  const plugin = findPlugin();
  invariant(plugin, "a plugin is opened that a probe has found");
  const [{ loadPlugin }, { openClient, openClientAmong }, { keptExecutables }, { openSession }] = await Promise.all([
    import("./c-api.js"),
    import("./client.js"),
    import("./kept-executables.js"),
    import("./session.js"),
  ]);
  const loaded = loadPlugin(plugin.path);
  const kept = keptExecutables(plugin.path);
  const client = collectives
    ? await amongHosts(collectives, devices, () => openClientAmong(loaded, collectives, kept))
    : openClient(loaded, kept);
  if (devices > client.devices) {
    const there = client.devices;
    client.close();
    throw new RunError("run/devices", {
      what: `${devices} devices were asked for, and the plugin has ${there}`,
      help: `Use at most ${there}.`,
    });
  }
  const inMachine = client.platform === "cpu";
  const memory = inMachine ? Math.floor(machineMemory() / devices) : client.memory;
  /** Devices that share the machine's memory do not get what the process has taken. */
  const freeMemory = (): number | null => memory && memory - (inMachine ? process.memoryUsage.rss() / devices : 0);
  const one = deviceName({ ...client, version: loaded.version });
  return {
    name: "xla",
    backend: "xla",
    device:
      devices === 1 ? one : `${devices} devices like ${one}${shardState ? ", each with its share of the state" : ""}`,
    devices: { count: devices, shardState, memory, inMachine },
    precisions,
    open: (slots, initial) =>
      openSession(client, slots, initial, { division: { devices, shardState }, room: freeMemory(), compileLimit }),
    close: async () => client.close(),
  };
}

/** All hosts open it together, each with the same number of devices. A host with other settings is refused before the others wait for it. */
async function amongHosts(hosts: Hosts, devices: number, open: () => Promise<Client>): Promise<Client> {
  await hosts.agree({ "way to sum": "collectives", "number of devices": String(devices) });
  try {
    return await open();
  } catch (error) {
    if (!(error instanceof PluginError)) throw error;
    throw new RunError("run/hosts", {
      what: "The plugin could not reach the devices of other hosts",
      why: error.message.split("\n")[0] as string,
      help: "Leave `--collectives` out: gradients are summed through the first host then.",
    });
  }
}

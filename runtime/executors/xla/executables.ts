/**
 * Compiled programs of a plugin: compiled, or loaded again where they were kept, and run. Which devices run them, and how long a client lives, is left
 * to `client.ts`.
 */

import { type Address, eventOver, keepAlive, type Plugin, PluginError } from "./c-api.js";
import { ifSupported } from "./devices.js";
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
   * Takes and gives buffers in order, a list for each device. Of arguments that the program may overwrite, only the
   * handles are left.
   */
  run(inputs: readonly (readonly DeviceBuffer[])[]): Promise<readonly (readonly DeviceBuffer[])[]>;
  /** As bytes, of which the same plugin makes it again. @throws PluginError where a plugin has no such form. */
  serialized(): Buffer;
  close(): void;
}

/** Where and how programs are compiled. */
export interface CompilerSettings {
  readonly client: Address;
  /** If absent, everything is compiled. */
  readonly kept: KeptExecutables | undefined;
  /** What an executable depends on besides its program: the plugin's version, the kind of device. */
  readonly compilerNames: readonly string[];
  /** Whether a run may wait for other hosts, and so starts on a thread of its own. */
  readonly startsLong: boolean;
}

/** Gives a function that compiles a program, or loads it again. It throws a PluginError for a program that does not compile. */
export function loaderOf(
  plugin: Plugin,
  { client, kept, compilerNames, startsLong }: CompilerSettings,
): (program: string, compileOptions: Buffer) => Promise<Executable> {
  const executeOptions = plugin.structure("ExecuteOptions", {});
  const ready = (loaded: Address): Executable => executableAt(plugin, loaded, executeOptions, startsLong);
  return async (program, compileOptions) => {
    if (!kept) return ready(await compiled(plugin, client, program, compileOptions));
    const name = kept.nameOf(...compilerNames, program, compileOptions);
    const bytes = kept.read(name);
    const reloaded = bytes && (await loadedAgain(plugin, client, bytes));
    if (reloaded !== null) return ready(reloaded);
    const executable = ready(await compiled(plugin, client, program, compileOptions));
    keep(kept, name, executable);
    return executable;
  };
}

async function compiled(plugin: Plugin, client: Address, program: string, compileOptions: Buffer): Promise<Address> {
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
}

/** What was kept, loaded again; null where the plugin does not take it. */
async function loadedAgain(plugin: Plugin, client: Address, executable: Buffer): Promise<Address | null> {
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
}

function executableAt(plugin: Plugin, loaded: Address, options: Buffer, startsLong: boolean): Executable {
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
      const call = {
        executable: loaded,
        options: plugin.addressOf(options),
        argument_lists: plugin.addressOf(rows),
        num_devices: inputs.length,
        num_args: inputs[0]?.length ?? 0,
        output_lists: plugin.addressOf(resultRows),
        device_complete_events: plugin.addressOf(events),
      };
      if (startsLong) await plugin.callLong("LoadedExecutable_Execute", call);
      else plugin.call("LoadedExecutable_Execute", call);
      for (const event of events) await eventOver(plugin, event);
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
  ifSupported(() => {
    const answer = plugin.call("Executable_GetCompiledMemoryStats", { executable });
    return {
      arguments: Number(answer("argument_size_in_bytes")),
      outputs: Number(answer("output_size_in_bytes")),
      aliased: Number(answer("alias_size_in_bytes")),
      temporaries: Number(answer("temp_size_in_bytes")),
    };
  });

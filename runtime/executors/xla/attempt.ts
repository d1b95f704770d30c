/** Loads a plugin, computes one sum on it, and says what it is: in a process of its own, since a plugin may end it. A door of the package. */

import { loadPlugin } from "./c-api.js";
import { openClient } from "./client.js";

const sum = `module @attempt {
  func.func public @main(%a: tensor<2xf32>) -> tensor<2xf32> {
    %0 = stablehlo.add %a, %a : tensor<2xf32>
    return %0 : tensor<2xf32>
  }
}
`;

/** What a plugin says of itself. */
export interface Attempted {
  readonly platform: string;
  readonly device: string;
  readonly version: readonly [major: number, minor: number];
}

/** @throws whatever is wrong with the plugin, unless that ends the process. */
export async function attempt(path: string): Promise<Attempted> {
  const plugin = loadPlugin(path);
  const client = openClient(plugin);
  const executable = await client.compile(sum, 1);
  const [results] = await executable.run([[client.put(Float32Array.of(1, 2), "float32", [2], 0)]]);
  const values = await client.read(results?.[0] as bigint, "float32", [2]);
  if (values[0] !== 2 || values[1] !== 4) throw new Error(`1 + 1 and 2 + 2 are ${values.join(" and ")} on it`);
  return { platform: client.platform, device: client.device, version: plugin.version };
}

/**
 * Contestant: the sum of all gradients of a model over two hosts, which are processes of this machine: `node exchange.mjs '{...}'`. A step is one exchange.
 * What the executor takes to hand the gradients over is not part of it.
 */

import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { meetHosts } from "../runtime/index.js";
import { serve } from "./serve.js";

/** `port`: where the first host listens; absent on the first one, which starts the other. */
export interface Exchange {
  readonly numbers: number;
  readonly port?: number;
}

const { numbers, port } = JSON.parse(process.argv[2] ?? "") as Exchange;
const isFirst = port === undefined;

function startOther(at: number): void {
  const order: Exchange = { numbers, port: at };
  spawn(process.execPath, [fileURLToPath(import.meta.url), JSON.stringify(order)], { stdio: "ignore" });
}

const hosts = await meetHosts({
  ...{ host: isFirst ? 0 : 1, count: 2, address: "127.0.0.1", port: port ?? 0, secret: "known to all who measure" },
  ...{ arrival: 60, patience: 600, note: () => undefined, listening: startOther },
});
const gradients = new Float32Array(numbers).fill(1e-3);
const exchange = async (): Promise<number> => {
  await hosts.sum(gradients);
  return gradients[0] as number;
};
if (isFirst) await serve({ compile: {}, device: "two processes" }, exchange);
// The other one ends when the first is gone.
else for (;;) await exchange();

/** `npm run bench -- --hosts`: what two hosts on this machine take to sum all gradients of a model, beside a step of it on one. */

import { join } from "node:path";
import { parameterShapes } from "../blocks/index.js";
import { sizeOf } from "../graph/index.js";
import { type Contestant, contest, median, type Result } from "./contest.js";
import type { Exchange } from "./exchange.js";
import { type Contested, programFor } from "./sizes.js";

/** A Markdown table; step and exchange take turns. `step`: the contestant that makes one. */
export async function hostsTable(
  sizes: readonly Contested[],
  { rounds, step }: { readonly rounds: number; readonly step: (size: Contested) => Contestant["command"] },
  tell: (text: string) => void,
): Promise<string> {
  const rows: string[] = [];
  for (const size of sizes) {
    tell(size.name);
    const numbers = [...parameterShapes(programFor(size).parameters).values()].reduce((sum, s) => sum + sizeOf(s), 0);
    const exchange = join(import.meta.dirname, "exchange.mjs");
    const common = { rounds, warmup: 1 };
    const results = await contest(
      [
        { name: "step", command: step(size), ...common },
        {
          name: "exchange",
          command: [process.execPath, exchange, JSON.stringify({ numbers } satisfies Exchange)],
          ...common,
        },
      ],
      tell,
    );
    const of = (name: string, what: "seconds" | "processorSeconds"): string => {
      const result = results.find((one): one is Result => one.name === name && "steps" in one);
      return result ? median(result.steps.map((one) => one[what])).toFixed(3) : "failed";
    };
    const megabytes = ((numbers * Float32Array.BYTES_PER_ELEMENT) / 1e6).toFixed(0);
    const cells = [of("exchange", "seconds"), of("exchange", "processorSeconds"), of("step", "seconds")];
    rows.push(`| ${[size.name, size.batch, megabytes, ...cells].join(" | ")} |`);
  }
  const head = "| size | batch | MB each way | exchange, s | processor of the first, s | step, s |";
  return `${[head, "| --- | --- | --- | --- | --- | --- |", ...rows].join("\n")}\n`;
}

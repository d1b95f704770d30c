/** Contestant: nothing but large matrix products, the most that onnxruntime gets out of this machine. `node peak.mjs '{"threads":1}'` */

import { createBuilder, type Tensor } from "../graph/index.js";
import { openExecutor } from "../runtime/index.js";
import { serve } from "./serve.js";
import { peakProducts } from "./sizes.js";

const { threads } = JSON.parse(process.argv[2] ?? "") as { readonly threads: number };
const { side, count } = peakProducts;

/** Small enough that products in a row stay finite. */
const entries = (): Float32Array => new Float32Array(side * side).fill(1 / side);

const g = createBuilder({ batch: 1 });
const weight = g.state("weight", [side, side]);
let x: Tensor = g.state("x", [side, side]);
for (let i = 0; i < count; i++) x = g.matmul(x, weight);
const executor = await openExecutor("onnx", () => {}, { threads });
const slots = ["weight", "x"].map((name) => ({ name, shape: [side, side], dtype: "float32" }) as const);
const session = await executor.open(slots, { weight: entries(), x: entries() });
const run = await session.load(g.finish({ outputs: { sum: g.sum(x) } }));
await serve({ compile: {}, device: executor.device }, async () => (await run({})).sum?.[0] as number);

// Plain JavaScript: prints what is wrong with a spec, and the features that the page computes, from the same checkpoint.

import { analyze, assemble, imageOf, programOf, registry } from "maelang";
import { encoderReader, openExecutor, readCheckpoint, weightsFrom } from "maelang/runtime";

const [checkpointPath, misspelt] = process.argv.slice(2);
const check = (text) => analyze({ path: "script.mae", text }, { readText: () => null }, registry);

const checkpoint = await readCheckpoint(checkpointPath, "weights");
const program = programOf(assemble(check(checkpoint.spec).models.get(checkpoint.program)));
const weights = weightsFrom(checkpoint, program.parameters);
const executor = await openExecutor("cpu");
const reader = await encoderReader({ program, weights }, executor, [{ pool: "mean", layer: "last" }], 1);
const { height, width, channels } = imageOf(program);
const size = height * width * channels;
const image = Float32Array.from({ length: size }, (_, i) => i / size);
const [values] = await reader.read({ arrays: { image }, labels: new Int32Array(1), count: 1 });
console.log(JSON.stringify({ mistakes: check(misspelt).diagnostics.map(({ code }) => code), features: [...values] }));

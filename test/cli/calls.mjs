/**
 * Runs the built command line for tests, call after call in one process: most of what a short call takes is the start of Node and
 * of the libraries. A call is `{ args, cwd, env, input }`, its answer `{ code, stdout, stderr }`.
 */

import { Readable, Writable } from "node:stream";
import { runCommandLine } from "../../dist/command-line.js";

/** A stream that keeps what is written. */
function keeping() {
  const chunks = [];
  const stream = new Writable({
    write(chunk, _encoding, done) {
      chunks.push(chunk);
      done();
    },
  });
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}

function surround({ cwd, env }) {
  for (const name of Object.keys(process.env)) if (!(name in env)) delete process.env[name];
  Object.assign(process.env, env);
  process.chdir(cwd);
}

async function answer({ args, input, ...surroundings }) {
  surround(surroundings);
  const [out, err] = [keeping(), keeping()];
  const stdin = Readable.from([Buffer.from(input)]);
  const code = await runCommandLine(args, { stdin, stdout: out.stream, stderr: err.stream });
  return { code, stdout: out.text(), stderr: err.text() };
}

process.on("message", async (call) => process.send(await answer(call)));
process.on("disconnect", () => process.exit());

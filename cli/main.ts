#!/usr/bin/env node
/** The command `mae`: a process that runs one command line and ends with its exit code, when all of its output is written. */

import { sayEnd, sayUncaught } from "./words/ending.js";
import { exitCode } from "./words/failure.js";
import { systemWords } from "./words/system-errors.js";
import { drained, lostOutput, tell, watchOutput } from "./words/terminal.js";

watchOutput();
const argv = process.argv.slice(2);
process.on("uncaughtException", (error) => process.exit(sayUncaught(error, argv)));
// Loaded late, so that a machine that refuses its files is told in words as well.
const code = await import("./command-line.js")
  .then(({ runCommandLine }) => runCommandLine(argv, process))
  .catch((error) => sayEnd(error, argv));
await drained();
const lost = lostOutput();
if (lost) tell(`error: not all of the output could be written: ${systemWords(lost) ?? lost.message}`);
process.exit(lost && code === exitCode.fine ? exitCode.findings : code);

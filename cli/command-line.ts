/**
 * A call of the command line, from its words to an exit code. What the commands are is said in `program.ts`; what they do, in
 * `commands/`. The process around a call is the business of `main.ts`.
 */

import { CommanderError } from "commander";
import { createProgram } from "./program.js";
import { endWith, inSession, type Streams } from "./session.js";
import { sayEnd } from "./words/ending.js";
import { type ExitCode, exitCode } from "./words/failure.js";

/** Runs a command line and gives the exit code. One at a time: commands work in the process's working folder. */
export async function runCommandLine(argv: readonly string[], streams: Streams): Promise<ExitCode> {
  return inSession(streams, async () => {
    try {
      await createProgram().parseAsync([...argv], { from: "user" });
    } catch (error) {
      // Commander has printed its own message or the help already.
      const isPrinted = error instanceof CommanderError;
      const code = isPrinted && error.exitCode === 0 ? exitCode.fine : exitCode.usage;
      endWith(isPrinted ? code : await sayEnd(error, argv));
    }
  });
}

/** Every way in which a command fails, in words and as an exit code: failures, errors of runs and of the system, bugs. */

import { packageVersion } from "../package-root.js";
import { type ExitCode, exitCode, Failure } from "./failure.js";
import { systemFailure } from "./system-errors.js";
import { stderrColors, tell } from "./terminal.js";
import { visibleLines } from "./text-width.js";

/** What a failure says, whatever threw it. */
interface Words {
  readonly head: string;
  readonly message: string;
  readonly notes: readonly (readonly [word: string, text: string | null | undefined])[];
  readonly exit: ExitCode;
}

/** `RunError` of the runtime, known by its name: loading the runtime to recognise it would cost every command. */
interface RunErrorLike extends Error {
  readonly code: string;
  readonly what: string;
  readonly why: string | null;
  readonly help: string;
}

const isRunError = (error: unknown): error is RunErrorLike => error instanceof Error && error.name === "RunError";

function wordsOf(error: unknown): Words | null {
  const failure = error instanceof Failure ? error : systemFailure(error);
  if (failure) {
    const notes = [["why", failure.reason] as const, ["help", failure.help] as const];
    return { head: "error", message: failure.message, notes, exit: failure.exit };
  }
  if (isRunError(error)) {
    const notes = [
      ["why", error.why],
      ["help", error.help],
      ["more", `mae explain ${error.code}`],
    ] as const;
    return { head: `error[${error.code}]`, message: error.what, notes, exit: exitCode.findings };
  }
  return null;
}

/** What a block of the user's own project threw; null: it was not one. */
async function wordsOfBlock(error: unknown): Promise<Words | null> {
  const { blockAtFault } = await import("../config/index.js");
  const fault = blockAtFault(error);
  if (!fault) return null;
  const message = `a block of the project fails: ${fault.message}`;
  const notes = [["at", fault.where] as const, ["more", "mae explain block/throws"] as const];
  return { head: "error[block/throws]", message, notes, exit: exitCode.findings };
}

function sayFailure({ head, message, notes }: Words): void {
  const colors = stderrColors();
  tell(`${colors.red(colors.bold(head))}${colors.bold(`: ${visibleLines(message)}`)}`);
  for (const [word, text] of notes) {
    if (text) tell(`  ${colors.blue("=")} ${colors.bold(`${word}:`)} ${visibleLines(text).replaceAll("\n", "\n    ")}`);
  }
}

function sayBug(error: unknown, trace: boolean): void {
  const colors = stderrColors();
  const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  tell(`${colors.red(colors.bold("this is a bug in mae"))}: ${visibleLines(message)}`);
  const machine = `mae ${packageVersion()}, node ${process.version}, ${process.platform} ${process.arch}`;
  if (trace && error instanceof Error) tell(error.stack ?? "");
  tell(trace ? `please report it with the lines above; ${machine}` : `--trace shows where; ${machine}`);
}

/** Tells what ended a call, whatever it was, and gives the exit code. */
export async function sayEnd(error: unknown, argv: readonly string[]): Promise<ExitCode> {
  return sayWords(error, wordsOf(error) ?? (await wordsOfBlock(error)), argv);
}

/** The same at once, of what was thrown where no command waits for it, as by a thread that cannot be started. */
export const sayUncaught = (error: unknown, argv: readonly string[]): ExitCode => sayWords(error, wordsOf(error), argv);

/** `words` are null for a mistake of ours. */
function sayWords(error: unknown, words: Words | null, argv: readonly string[]): ExitCode {
  const trace = argv.includes("--trace");
  if (!words) {
    sayBug(error, trace);
    return exitCode.findings;
  }
  sayFailure(words);
  if (trace && error instanceof Error) tell(error.stack ?? "");
  return words.exit;
}

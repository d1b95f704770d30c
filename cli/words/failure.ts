/**
 * How a command ends: exit codes, and failures that are the user's to mend. Telling them is the business of `ending.ts`;
 * findings in a spec are diagnostics and never pass through here.
 */

/** The whole contract with scripts; also printed by `mae --help`. */
export const exitCode = {
  fine: 0,
  /** A spec has findings, or a run failed. */
  findings: 1,
  /** The command line itself was wrong. */
  usage: 2,
  /** Ended by Ctrl-C, after saving; 128 + SIGINT. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCode)[keyof typeof exitCode];

interface Words {
  /** Why it matters or how it came to be. */
  readonly reason?: string;
  /** What to do. */
  readonly help?: string;
}

/** Something the user asked for cannot be done. `message` says what is wrong in one sentence without a full stop. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly reason: string | undefined;
  readonly help: string | undefined;

  constructor(
    message: string,
    words: Words,
    readonly exit: ExitCode,
  ) {
    super(message);
    this.reason = words.reason;
    this.help = words.help;
  }
}

/** The command line is wrong: exit code 2. */
export const usageFailure = (message: string, words: Words = {}): Failure =>
  new Failure(message, words, exitCode.usage);

/** The command line is fine, the work could not be done: exit code 1. */
export const runFailure = (message: string, words: Words = {}): Failure =>
  new Failure(message, words, exitCode.findings);

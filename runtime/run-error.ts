/**
 * A failure of the user's machine or data, as opposed to a mistake in a spec (a `Diagnostic`) or in maelang (an
 * invariant): what happened, why where that is known, and what to do. Front ends print it; nobody prints its stack. Names of
 * files may hold anything, so the words come on one line without control characters.
 */

import { oneLine } from "../blocks/index.js";

/** Every code there is, with what it means; `mae explain` reads them here. */
export const runErrors = {
  "run/checkpoint-mismatch": "The checkpoint belongs to another model.",
  "run/checkpoint-missing": "There is no checkpoint to continue from.",
  "run/checkpoint-unreadable": "The file is not a checkpoint that maelang can read.",
  "run/channels": "The images have other channels than the model declares, or numbers that are no pixels.",
  "run/array-size": "The records of signals do not have the leads or the length that the model declares.",
  "run/backend-missing": "The backend that was asked for is not available on this machine.",
  "run/compile-limit": "XLA has not compiled a step in the time that it was given.",
  "run/data": "The data is missing, empty or not in the format that the spec says.",
  "run/decoder-missing": "The library that reads and writes image files is not here or does not load.",
  "run/device-failed": "The device that computes reported an error or was lost.",
  "run/devices": "The backend does not have as many devices as were asked for.",
  "run/disk-full": "The disk has no room for what has to be written.",
  "run/features":
    "Something was asked of the model that it does not have: a class token, a layer, a prediction of pixels.",
  "run/foreign-weights": "A file of weights that another program wrote cannot be read, or holds what does not fit.",
  "run/host-differs": "Hosts that are to train one model together have different specs, options, versions or data.",
  "run/host-lost": "A host of a run on several is gone, has ended, or says nothing.",
  "run/host-refused": "A host is none of those that train together.",
  "run/hosts": "The recipe cannot be trained by several hosts, or not by as many, or the devices cannot sum over them.",
  "run/precision": "The backend does not compute in the number format that the recipe asks for.",
  "run/plugin-not-fetched": "A plugin of the backend xla could not be fetched, or is not what it should be.",
  "run/gradient-not-finite": "The gradients of the loss became infinite or not a number.",
  "run/image-size": "The images do not have the size of the model's input after augmentation.",
  "run/loss-not-finite": "The loss became infinite or not a number.",
  "run/out-of-memory": "The backend has not enough memory for a step.",
  "run/no-counterpart": "The model is none that the other library has.",
  "run/resume-mismatch": "The run cannot be continued exactly, because its recipe or its data changed.",
  "run/run-exists": "The output folder already holds a run.",
  "run/safetensors": "The file is not a valid safetensors file.",
  "run/sampling-rate": "The sounds have another sampling rate than the model declares.",
  "run/too-few-samples": "The data has fewer samples than one batch.",
  "run/too-many-broken-files": "Too many image files cannot be decoded.",
  "run/unreadable": "A file or folder cannot be read.",
  "run/weights-not-finite": "A weight became infinite or not a number.",
  "run/worker": "A data worker could not be started or ended unexpectedly.",
  "run/unwritable": "The output folder cannot be written.",
} as const;

export type RunErrorCode = keyof typeof runErrors;

export class RunError extends Error {
  override readonly name = "RunError";
  readonly code: RunErrorCode;
  /** What happened, one sentence without its full stop. */
  readonly what: string;
  /** The cause, where it is known. */
  readonly why: string | null;
  /** What to do about it, whole sentences. */
  readonly help: string;

  constructor(
    code: RunErrorCode,
    words: { readonly what: string; readonly why?: string; readonly help: string },
    options?: { readonly cause?: unknown },
  ) {
    const what = oneLine(words.what);
    const why = words.why === undefined ? null : oneLine(words.why);
    const help = oneLine(words.help);
    super(`${what}${why === null ? "" : `: ${why}`}. ${help}`, options);
    this.code = code;
    this.what = what;
    this.why = why;
    this.help = help;
  }
}

/** What is done for one of several recipes: a `RunError` of it names the recipe. `recipe`: undefined where there is one alone. */
export const ofRecipe = <T>(recipe: string | undefined, work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    if (recipe === undefined || !(error instanceof RunError)) throw error;
    const { code, what, why, help } = error;
    throw new RunError(code, { what: `${recipe}: ${what}`, ...(why === null ? {} : { why }), help }, { cause: error });
  });

/** The code of a failed system call (`ENOENT`), or "" for anything else. */
export const systemCode = (error: unknown): string =>
  error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";

/** What an error says of itself; of a library that takes several lines for it, as one. */
export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).trim().replace(/\s*[\r\n]+\s*/g, " ");

/** A file or folder that is there and cannot be read. */
export const unreadable = (what: string, help: string, cause: unknown): RunError =>
  new RunError("run/unreadable", { what: `${what} cannot be read`, why: reasonOf(cause), help }, { cause });

/** How a run on several hosts ends: together, with a checkpoint that all can go on from, whoever is lost. */

import type { Hosts } from "../hosts/hosts.js";
import { HostLost } from "../hosts/link.js";
import { RunError } from "../run-error.js";
import { type Run, type Saved, saveHere } from "./run.js";
import { isFirst } from "./together.js";

/** Whether one of the hosts is to end before its next step: then all do. */
export async function isAnyEnding(hosts: Hosts, isEnding: boolean): Promise<boolean> {
  const ending = Float64Array.of(isEnding ? 1 : 0);
  await hosts.sum(ending);
  return (ending[0] as number) > 0;
}

/** Waits until all hosts are done, and leaves them. */
export async function leaveDone(hosts: Hosts): Promise<void> {
  await isAnyEnding(hosts, false);
  await hosts.leave("the run is over");
}

/**
 * Leaves the others after an error. Where one of them is lost, saves what `step` steps have made, on the first host, and on the others
 * where the first has not said that it did. Gives the error to throw.
 */
export async function leaveAfter(run: Run, hosts: Hosts, error: unknown, saved: Saved, step: number): Promise<unknown> {
  if (!(error instanceof HostLost)) {
    await hosts.leave(error instanceof RunError ? error.message : "it failed");
    return error;
  }
  const { code, what, why, saved: theirs } = error;
  const kept = theirs === null ? await keptHere(run, saved, step) : null;
  await hosts.leave(`${what}: ${why}`, kept ?? undefined);
  const help = (where: string): string => `Everything is saved in ${where}. Start all hosts again with \`--resume\``;
  const words =
    theirs !== null
      ? `${help(`${theirs} on the first host`)}.`
      : kept === null
        ? "Start all hosts again with `--resume`: the first host has the newest checkpoint."
        : `${help(kept)}${isFirst(run.options) ? "" : ", the first one with this folder as `--out`"}.`;
  return new RunError(code, { what, why: why ?? "it is gone", help: words });
}

/** The newest checkpoint on this host, made now where the state is that of a step; null: there is none. */
async function keptHere(run: Run, saved: Saved, step: number): Promise<string | null> {
  const isKept = isFirst(run.options) && (run.torn.now || saved.step === step);
  if (isKept) return saved.path;
  return run.torn.now ? null : (await saveHere(run, step)).path;
}

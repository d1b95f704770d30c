/** A run on several hosts: the first one's folder is the run, and each other has a folder of its own, which holds what it started from. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { lossesAcrossSamples, settingsOf } from "../../compiler/index.js";
import type { Hosts } from "../../runtime/index.js";
import type { HostFlags, Place } from "../machine/hosts.js";
import { listeningAddress } from "../machine/hosts.js";
import type { MemoryFlags } from "../machine/micro-batches.js";
import type { SettingFlags } from "../options.js";
import { printedPath, replaceFile } from "../specs/files.js";
import { runFailure, usageFailure } from "../words/failure.js";
import { tell } from "../words/terminal.js";
import type { Trained } from "./continuation.js";
import {
  checkRunDirectory,
  clearRunDirectory,
  factsFile,
  type Opening,
  readRunFacts,
  readRunSpec,
  specFile,
} from "./run-directory.js";

/** Seconds in which all hosts are to come. */
const arrival = 600;

interface Together extends Trained {
  readonly directory: string;
  readonly flags: Partial<Opening> & Pick<MemoryFlags, "microBatch"> & HostFlags & SettingFlags;
}

/**
 * Meets the others, and trains. `train` is given what the first host does: all begin anew, or all go on.
 * Where it fails on one, all end, and each says why.
 */
export async function withHosts<O extends Together, T>(
  order: O,
  place: Place,
  train: (order: O, hosts: Hosts) => Promise<T>,
): Promise<T> {
  checkShares(order, place.count);
  const { meetHosts } = await import("../../runtime/index.js");
  const listen = listeningAddress(place);
  const hosts = await meetHosts({ ...place, ...(listen === null ? { everywhere: true } : {}), arrival, note: tell });
  try {
    return await train(hosts.host === 0 ? await asFirst(order, hosts) : await asOther(order, hosts), hosts);
  } catch (error) {
    await hosts.leave(error instanceof Error ? error.message : String(error));
    throw error;
  }
}

/** Refuses a batch that has no equal shares, and losses that would compare the samples of one host alone. */
function checkShares({ model, recipe, flags }: Together, count: number): void {
  const batch = flags.batch ?? settingsOf(recipe).batch;
  if (batch % count !== 0)
    throw usageFailure(`a batch of ${batch} has no equal shares for ${count} hosts`, {
      help: `choose a batch that ${count} divides (--batch)`,
    });
  const across = lossesAcrossSamples(model);
  if (across.length === 0 || flags.microBatch !== undefined || flags.resume) return;
  throw usageFailure(`${across.join(" and ")} compares the samples of a batch, and each host sees a part of them`, {
    help: "say with --micro-batch how many samples it is to compare, or train on one host",
  });
}

/** What the first host tells the others before they open anything. */
interface Word {
  readonly resume: boolean;
  /** Of the run that goes on, `run.json` and its spec; empty of a new one. */
  readonly facts: string;
  readonly spec: string;
  /** Steps that it has behind it. */
  readonly step: number;
}

async function asFirst<O extends Together>(order: O, hosts: Hosts): Promise<O> {
  const { directory, flags } = order;
  const { resume = false, force = false } = flags;
  checkRunDirectory(directory, { resume, force });
  const word: Word = resume
    ? {
        resume,
        facts: JSON.stringify(readRunFacts(directory)),
        spec: readRunSpec(directory),
        step: await newestStep(directory),
      }
    : { resume, facts: "", spec: "", step: 0 };
  await hosts.fromFirst(word);
  return order;
}

async function asOther<O extends Together>(order: O, hosts: Hosts): Promise<O> {
  const { resume, facts, spec, step } = wordIn(await hosts.fromFirst(null));
  const directory = join(order.directory, `host-${hosts.host}`);
  await keepRescued(directory, step, order.flags.force ?? false);
  mkdirSync(directory, { recursive: true });
  // What this host saved of the run that goes on stays: the first one may have taken this very folder.
  if (resume) {
    replaceFile(join(directory, factsFile), facts);
    replaceFile(join(directory, specFile), spec);
  } else clearRunDirectory(directory);
  return { ...order, directory, flags: { ...order.flags, resume, force: false } };
}

function wordIn(json: unknown): Word {
  const { resume, facts, spec, step } = (json ?? {}) as Partial<Record<keyof Word, unknown>>;
  return { resume: resume === true, facts: String(facts), spec: String(spec), step: Number(step) };
}

/** Steps of the newest checkpoint in a folder; -1: there is none. */
async function newestStep(directory: string): Promise<number> {
  const { listCheckpoints } = await import("../../runtime/index.js");
  const steps = (await listCheckpoints(directory)).map(({ step }) => step);
  return Math.max(-1, ...steps);
}

/** What a host saved when the first one was lost is not thrown away for a run that has not come as far. */
async function keepRescued(directory: string, step: number, force: boolean): Promise<void> {
  const own = await newestStep(directory);
  if (force || own <= step) return;
  throw runFailure(
    `${printedPath(directory)} holds a checkpoint of step ${own}, and the first host begins at step ${step}`,
    {
      reason: "It was saved there when the first host was lost.",
      help: "give the first host that folder as --out, move it away, or replace it (--force)",
    },
  );
}

/** Contestants side by side: each in a process of its own, asked for a step in turn, so that a busy moment hits all alike. */

import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Farewell, Measured, Ready } from "./serve.js";

export interface Contestant {
  /** `onnx`, `eager` */
  readonly name: string;
  readonly command: readonly [program: string, ...args: string[]];
  /** Steps measured; fewer for those that take minutes. */
  readonly rounds: number;
  /** Steps made before measuring. */
  readonly warmup: number;
  /** Variables that it has besides ours. */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Result extends Ready, Farewell {
  readonly name: string;
  readonly steps: readonly Measured[];
}

export interface Failed {
  readonly name: string;
  readonly failed: string;
}

interface Running {
  readonly contestant: Contestant;
  readonly ready: Ready;
  readonly steps: Measured[];
  /** The next line that it says. */
  readonly answer: () => Promise<unknown>;
  readonly ask: (word: "step" | "end") => void;
}

async function start(contestant: Contestant): Promise<Running> {
  const [program, ...args] = contestant.command;
  const child: ChildProcess = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...contestant.env },
  });
  let complaints = "";
  child.stderr?.on("data", (chunk) => {
    complaints = `${complaints}${chunk}`.slice(-2000);
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  const answer = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(complaints.trim().split("\n").at(-1) ?? "it ended without a word");
    return JSON.parse(value);
  };
  const spawned = new Promise((resolve, reject) => child.once("spawn", resolve).once("error", reject));
  await spawned;
  return {
    contestant,
    ready: (await answer()) as Ready,
    steps: [],
    answer,
    ask: (word) => void child.stdin?.write(`${word}\n`),
  };
}

async function step(running: Running): Promise<Measured> {
  running.ask("step");
  return (await running.answer()) as Measured;
}

async function end({ contestant, ready, steps, answer, ask }: Running): Promise<Result> {
  ask("end");
  return { name: contestant.name, ...ready, steps, ...((await answer()) as Farewell) };
}

/** Starts all, lets them make steps in turn, ends all. One that fails is told and does not stop the others. */
export async function contest(
  contestants: readonly Contestant[],
  tell: (text: string) => void,
): Promise<(Result | Failed)[]> {
  const running: Running[] = [];
  const failed: Failed[] = [];
  for (const contestant of contestants) {
    try {
      const one = await start(contestant);
      for (let i = 0; i < contestant.warmup; i++) await step(one);
      running.push(one);
    } catch (error) {
      failed.push({ name: contestant.name, failed: error instanceof Error ? error.message : String(error) });
      tell(`${contestant.name} is left out: ${failed.at(-1)?.failed}`);
    }
  }
  const rounds = Math.max(0, ...running.map(({ contestant }) => contestant.rounds));
  for (let round = 0; round < rounds; round++) {
    for (const one of running) if (round < one.contestant.rounds) one.steps.push(await step(one));
  }
  const results: Result[] = [];
  for (const one of running) results.push(await end(one));
  return [...results, ...failed];
}

/** The middle of some numbers; of an even count, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return ((low ?? Number.NaN) + (high ?? Number.NaN)) / 2;
}

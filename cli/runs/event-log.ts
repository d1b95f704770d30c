/**
 * Where the events of a run are logged besides its own log: in event files for TensorBoard, or by the Python clients of W&B and MLflow, where
 * they are installed. Nothing is sent anywhere unless it is asked for, and then by those clients alone.
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join, resolve } from "node:path";
import type { TrainEvent } from "../../runtime/index.js";
import { packageRoot } from "../package-root.js";
import { printedPath } from "../specs/files.js";
import { runFailure } from "../words/failure.js";
import { eventJson } from "../words/progress.js";
import { readRunFacts, readRunSpec } from "./run-directory.js";
import { tensorboardLog } from "./tensorboard.js";

export type LogName = "tensorboard" | "wandb" | "mlflow";

export interface EventLog {
  readonly tell: (event: TrainEvent) => void;
  /** Waits until all is written. */
  readonly close: () => Promise<void>;
}

export interface LogOptions {
  /** Of the run. */
  readonly directory: string;
  readonly goesOn: boolean;
  readonly note: (text: string) => void;
}

/** Throws a `Failure` where the client that is named is not here. */
export async function openEventLog(name: LogName, options: LogOptions): Promise<EventLog> {
  if (name === "tensorboard") {
    return { tell: tensorboardLog(options.directory, options.goesOn), close: async () => {} };
  }
  return clientLog(name, options);
}

/** What a client says when it ends badly, its last lines. */
const lastLines = 3;

async function clientLog(name: Exclude<LogName, "tensorboard">, { directory, note }: LogOptions): Promise<EventLog> {
  const python = process.env.MAE_PYTHON ?? "python3";
  const client = spawn(python, [join(packageRoot(), "dist/clients.py"), name], { stdio: ["pipe", "pipe", "pipe"] });
  let said = "";
  client.stderr.on("data", (data: Buffer) => {
    said = (said + data.toString("utf8")).slice(-4000);
  });
  // A client that has ended is told of below.
  client.stdin.on("error", () => {});
  const isReady = await Promise.race([
    once(client.stdout, "data").then(() => true),
    once(client, "exit").then(() => false),
    once(client, "error").then(() => false),
  ]).catch(() => false);
  if (!isReady) {
    throw runFailure(`the Python client of ${name} is not here`, {
      reason: said.trim().split("\n").at(-1) || `${python} could not be started`,
      help: `install it (pip install ${name}), name another Python in the variable MAE_PYTHON, or leave --log out`,
    });
  }
  client.stdout.resume();
  let ended = false;
  const end = once(client, "close").then(([code]) => {
    ended = true;
    if (code === 0) return;
    const lines = said.trim().split("\n").slice(-lastLines).join(" ");
    note(`${name} has logged no more: its client ended (${lines || `code ${code}`})`);
  });
  const send = (value: object): void => {
    if (!ended) client.stdin.write(`${JSON.stringify(value)}\n`);
  };
  return {
    tell(event) {
      if (event.kind === "start") send(beginning(directory));
      else send(eventJson(event));
    },
    async close() {
      client.stdin.end();
      const isOver = await Promise.race([end.then(() => true), patience()]);
      if (!isOver) giveUp(client, () => note(`${name} took too long to end and was left`));
    },
  };
}

/** What a client may take to send the rest, in milliseconds. */
const mostWait = 60_000;

const patience = (): Promise<false> => new Promise((done) => setTimeout(() => done(false), mostWait).unref());

function giveUp(client: ChildProcess, say: () => void): void {
  say();
  client.kill();
}

/** With what a client begins a run, or goes on with one: by when it was started and where it lies. */
function beginning(directory: string): object {
  const { model, recipe, settings, started, executor } = readRunFacts(directory);
  const id = `${started}-${printedPath(directory)}`.replace(/[^\w-]+/g, "-").slice(-64);
  const spec = readRunSpec(directory);
  const config = { model, recipe, ...settings, backend: executor.backend, device: executor.device, spec };
  return { kind: "begin", id, name: printedPath(directory), directory: resolve(directory), config };
}

/** Hosts that train one model: with the numbers of one, refused where they differ, and ended together with a checkpoint. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Hosts, listCheckpoints, meetHosts, type Training, type TrainResult, train } from "../../runtime/index.js";
import { backendsHere } from "../support/backends.js";
import { bundleForNode, removeBundle } from "../support/bundle.js";
import { inMemory, recipe, stripes } from "../support/data.js";
import type { HostOrder } from "../support/host-child.js";
import { firstHost, meetingOfTests, metHosts } from "../support/met-hosts.js";
import { surroundings, trained } from "../support/runs.js";
import { tinyProgram } from "../support/tiny-program.js";

const { secret } = meetingOfTests;
const first = { ...meetingOfTests, host: 0, count: 2 };

const isHere = backendsHere.includes("onnx");

describe.runIf(isHere)("hosts of one model", () => {
  const here = surroundings("onnx");
  const changes = { steps: 6, batch: 12, microBatch: 2, seed: 3 };
  const children: ChildProcess[] = [];
  let script: string;
  let whole: readonly number[];
  beforeAll(async () => {
    script = await bundleForNode("support/host-child.ts");
    const alone = { executor: here.executor, directory: join(here.folder, "alone") };
    whole = (await trained(tinyProgram(), recipe(inMemory(stripes(27)), changes), alone)).losses;
  });
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await removeBundle(script);
  });

  interface Circumstances {
    readonly resume?: boolean;
    /** The step after which it is interrupted. */
    readonly cut?: number;
    readonly changes?: Partial<Training>;
  }
  interface Trained extends TrainResult {
    readonly losses: readonly number[];
  }
  /** Trains as one of several hosts, each in a folder of its own. */
  const trainedBy = async (hosts: Hosts, name: string, how: Circumstances = {}): Promise<Trained> => {
    const stop = new AbortController();
    const losses: number[] = [];
    const result = await train(tinyProgram(), recipe(inMemory(stripes(27)), { ...changes, ...how.changes }), {
      ...{ root: ".", executor: here.executor, hosts, spec: "", workers: 0, checkpointEvery: {}, signal: stop.signal },
      resume: how.resume ?? false,
      directory: folderOf(name, hosts.host),
      report(event) {
        if (event.kind !== "step") return;
        losses.push(event.loss);
        if (event.step === how.cut) stop.abort();
      },
    });
    return { ...result, losses };
  };
  const folderOf = (name: string, host: number): string => join(here.folder, host === 0 ? name : `${name}-${host}`);
  const resumed = async (name: string): Promise<readonly number[]> => {
    const [one] = await Promise.all((await metHosts(2)).map((hosts) => trainedBy(hosts, name, { resume: true })));
    return one?.losses ?? [];
  };
  const expectWhole = (found: readonly number[], from = 0) => {
    expect(found).toHaveLength(6 - from);
    for (const [i, loss] of found.entries()) expect(loss).toBeCloseTo(whole[from + i] as number, 5);
  };
  /** Starts a host in a process of its own. */
  const start = (order: Pick<HostOrder, "host" | "port" | "fate" | "directory">): ChildProcess => {
    const args = [script, JSON.stringify({ ...order, secret, changes } satisfies HostOrder)];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    return child;
  };

  it("have the losses of one process; interrupting one ends all, and another number of them goes on", async () => {
    const three = (await metHosts(3)).map((hosts, i) => trainedBy(hosts, "both", i === 1 ? { cut: 3 } : {}));
    const [one, ...others] = await Promise.all(three);
    expect([one?.step, one?.interrupted, others[1]?.step, others[1]?.interrupted]).toEqual([3, true, 3, true]);
    expect(one?.losses).toEqual(others[1]?.losses);
    expect(others[1]?.checkpoint).toBe("the folder of the first host");
    expectWhole([...(one?.losses ?? []), ...(await resumed("both"))]);
    expect(await listCheckpoints(folderOf("both", 1))).toEqual([]);
  });

  it("one that is killed ends the other with a checkpoint, from which both go on", async () => {
    const { one, port } = await firstHost(2, { patience: 60 });
    start({ host: 1, port, directory: folderOf("killed", 1), fate: { at: 2, is: "killed" } });
    await expect(trainedBy(await one, "killed")).rejects.toThrow(
      /^host 1 was lost: .*\. Everything is saved in .*checkpoint-0*2\.safetensors\. Start all hosts again with `--resume`\.$/,
    );
    expectWhole(await resumed("killed"), 2);
  });

  it("the first that hangs is given up by the other, which saves what is trained", async () => {
    const child = start({ host: 0, port: 0, directory: folderOf("hung", 0), fate: { at: 2, is: "hung" } });
    const [printed] = await once(child.stdout as NodeJS.ReadableStream, "data");
    const other = await meetHosts({ ...first, host: 1, port: Number(printed), patience: 3 });
    await expect(trainedBy(other, "hung")).rejects.toThrow(
      /^the first host was lost: it said nothing for 3 s\. Everything is saved in .*hung-1\/checkpoint-0*2\.safetensors\. /,
    );
    // Its folder is that of a run, of one host here.
    const alone = { executor: here.executor, directory: folderOf("hung", 1), resume: true };
    expectWhole((await trained(tinyProgram(), recipe(inMemory(stripes(27)), changes), alone)).losses, 2);
  });

  it("refuse each other where their seeds differ", async () => {
    const two = (await metHosts(2)).map((hosts, i) => trainedBy(hosts, "seeds", { changes: { seed: 3 + i } }));
    for (const { reason } of (await Promise.allSettled(two)) as PromiseRejectedResult[])
      expect(reason).toMatchObject({
        code: "run/host-differs",
        what: 'host 1 has another seed: "4", where the first host has "3"',
      });
  });
});

it("a host that does not come is said, and so is one that is none of theirs", async () => {
  await expect(meetHosts({ ...first, arrival: 0.1 })).rejects.toThrow("host 1 did not come within 0.1 s");
  const notes: string[] = [];
  const { one, port } = await firstHost(2, { note: (text) => notes.push(text) });
  await expect(meetHosts({ ...first, host: 2, count: 3, port })).rejects.toThrow(
    "it is one of 3 hosts, and the first waits for 2 in all",
  );
  // Who knows no secret may say what it wants: it is not listened to.
  const stranger = connect(port, "127.0.0.1", () => stranger.write(Buffer.alloc(2 ** 20)));
  stranger.on("error", () => {});
  await new Promise((resolve) => stranger.once("close", resolve));
  await expect(meetHosts({ ...first, host: 1, port, secret: `another ${secret}` })).rejects.toThrow(
    "The first host does not know the secret of this one",
  );
  // Once, though two came from there.
  expect(notes.filter((text) => text === "127.0.0.1 does not know the secret, and was sent away")).toHaveLength(1);
  const [here, other] = await Promise.all([one, meetHosts({ ...first, host: 1, port })]);
  await expect(meetHosts({ ...first, host: 1, port, arrival: 0.1 })).rejects.toThrow("could not be reached");
  const [a, b] = [Float32Array.of(1, 2), Float32Array.of(10, 20)];
  await Promise.all([here.sum(a), other.sum(b)]);
  expect([...a, ...b]).toEqual([11, 22, 11, 22]);
  // More than one frame has room for.
  const [many, others] = [new Float32Array(2 ** 22 + 5).fill(1), new Float32Array(2 ** 22 + 5).fill(2)];
  await Promise.all([here.sum(many), other.sum(others)]);
  expect(many.every((value) => value === 3) && others.every((value) => value === 3)).toBe(true);
  const both = Promise.all([here.sum(new Float32Array(3)), other.sum(new Float32Array(2))]);
  await expect(both).rejects.toThrow("another number of numbers");
  here.leave("over");
  await expect(other.sum(b)).rejects.toThrow("the first host has ended the run: over");
  other.leave("over");
});

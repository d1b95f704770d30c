/** Two hosts that train one model: with the numbers of one, refused where they differ, and ended together with a checkpoint. */

import { type ChildProcess, spawn } from "node:child_process";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { listCheckpoints, listExecutors, meetHosts } from "../../runtime/index.js";
import { bundleForNode, removeBundle } from "../support/bundle.js";
import { inMemory, recipe, stripes } from "../support/data.js";
import type { HostOrder } from "../support/host-child.js";
import { surroundings, trained } from "../support/runs.js";
import { tinyProgram } from "../support/tiny-program.js";

const secret = "only for this test, 0123456789";
const isHere = (await listExecutors()).some(({ backend, present }) => backend === "onnx" && present);

describe.runIf(isHere)("two processes on one machine", () => {
  const here = surroundings("onnx");
  const children: ChildProcess[] = [];
  let script: string;
  beforeAll(async () => {
    script = await bundleForNode("support/host-child.ts");
  });
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await removeBundle(script);
  });

  interface Host {
    readonly child: ChildProcess;
    readonly lines: string[];
    /** A line that begins so, now or later; null: none came. */
    readonly line: (start: string) => Promise<string | null>;
  }

  const start = (order: Partial<HostOrder> & Pick<HostOrder, "directory">): Host => {
    const whole: HostOrder = { ...{ host: 0, port: 0, secret, seed: 3, patience: 60, resume: false }, ...order };
    const child = spawn(process.execPath, [script, JSON.stringify(whole)], { stdio: ["ignore", "pipe", "inherit"] });
    children.push(child);
    const lines: string[] = [];
    let isOver = false;
    let wake: () => void = () => {};
    createInterface({ input: child.stdout as NodeJS.ReadableStream })
      .on("line", (line) => {
        lines.push(line);
        wake();
      })
      .on("close", () => {
        isOver = true;
        wake();
      });
    const line = async (begin: string): Promise<string | null> => {
      for (;;) {
        const found = lines.find((one) => one.startsWith(begin));
        if (found !== undefined || isOver) return found ?? null;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    };
    return { child, lines, line };
  };
  /** The first host and another, each with a folder of its own. */
  const two = async (directory: string, first: Partial<HostOrder> = {}, second: Partial<HostOrder> = {}) => {
    const folder = join(here.folder, directory);
    const { fate: _, ...others } = first;
    const one = start({ ...first, directory: folder });
    const port = Number((await one.line("port"))?.slice(5));
    return [one, start({ ...others, ...second, host: 1, port, directory: `${folder}-1` })] as const;
  };
  const losses = ({ lines }: Host): readonly number[] =>
    lines.filter((line) => line.startsWith("step")).map((line) => Number(line.split(" ")[2]));

  const resumed = async (directory: string): Promise<readonly number[]> => {
    const [one, other] = await two(directory, { resume: true });
    expect(await one.line("end")).toMatch(/^end 6 false/);
    expect(await other.line("end")).toMatch(/^end 6 false/);
    return losses(one);
  };
  let whole: readonly number[];
  beforeAll(async () => {
    const training = recipe(inMemory(stripes(27)), { steps: 6 });
    const alone = { executor: here.executor, directory: join(here.folder, "alone") };
    whole = (await trained(tinyProgram(), training, alone)).losses;
  });
  const expectWhole = (found: readonly number[]) => {
    expect(found).toHaveLength(6);
    for (const [i, loss] of found.entries()) expect(loss).toBeCloseTo(whole[i] as number, 5);
  };

  it("have the losses of one process; interrupting one ends both, and both go on", async () => {
    const [one, other] = await two("both", {}, { fate: { at: 3, is: "interrupted" } });
    expect(await one.line("end")).toMatch(/^end 3 true .*checkpoint-/);
    expect(await other.line("end")).toBe("end 3 true the folder of the first host");
    expect(losses(one)).toEqual(losses(other));
    expectWhole([...losses(one), ...(await resumed("both"))]);
    expect(await listCheckpoints(join(here.folder, "both-1"))).toEqual([]);
  });

  it("one that is killed ends the other with a checkpoint, from which both go on", async () => {
    const [one] = await two("killed", {}, { fate: { at: 2, is: "killed" } });
    expect(await one.line("failed")).toMatch(
      /^failed run\/host-lost host 1 was lost: .*\. Everything is saved in .*checkpoint-0*2\.safetensors\. Start all hosts again with `--resume`\.$/,
    );
    expectWhole([...losses(one), ...(await resumed("killed"))]);
  });

  it("the first that hangs is given up by the other, which saves what is trained", async () => {
    const [one, other] = await two("hung", { patience: 5, fate: { at: 2, is: "hung" } });
    expect(await other.line("failed")).toMatch(
      /^failed run\/host-lost the first host was lost: it said nothing for 5 s\. Everything is saved in .*hung-1\/checkpoint-0*2\.safetensors\. /,
    );
    one.child.kill("SIGKILL");
  });

  it("refuse each other where their seeds or their secrets differ", async () => {
    const [one, other] = await two("seeds", {}, { seed: 4 });
    const said = /^failed run\/host-differs host 1 has another seed: "4", where the first host has "3"\. /;
    expect(await one.line("failed")).toMatch(said);
    expect(await other.line("failed")).toMatch(said);
    const [, stranger] = await two("secrets", {}, { secret: "another secret, 0123456789" });
    expect(await stranger.line("failed")).toMatch(/^failed run\/host-refused The first host does not know the secret/);
  });
});

const first = { host: 0, count: 2, address: "127.0.0.1", port: 0, secret, arrival: 60, patience: 5, note: () => {} };

it("a host that does not come is said, and so is one that is none of theirs", async () => {
  await expect(meetHosts({ ...first, arrival: 0.1 })).rejects.toThrow("host 1 did not come within 0.1 s");
  let come: (port: number) => void = () => {};
  const listening = new Promise<number>((resolve) => {
    come = resolve;
  });
  const one = meetHosts({ ...first, listening: (port) => come(port) });
  const port = await listening;
  await expect(meetHosts({ ...first, host: 2, count: 3, port })).rejects.toThrow(
    "it is one of 3 hosts, and the first waits for 2 in all",
  );
  // Who knows no secret may say what it wants: it is not listened to.
  const stranger = connect(port, "127.0.0.1", () => stranger.write(Buffer.alloc(2 ** 20)));
  stranger.on("error", () => {});
  await new Promise((resolve) => stranger.once("close", resolve));
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

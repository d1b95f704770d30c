/**
 * What devices of several hosts need to sum by themselves: values under keys that plugins see across hosts, and sums over parts of several devices.
 * No plugin for processors reaches other processes, so two hosts are two connections of one process here.
 */

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadKoffi, loadPlugin } from "../../../runtime/executors/xla/c-api.js";
import { type Client, clientAt } from "../../../runtime/executors/xla/client.js";
import { devicesOf } from "../../../runtime/executors/xla/devices.js";
import { keyValueFunctions } from "../../../runtime/executors/xla/key-values.js";
import { findPlugin } from "../../../runtime/executors/xla/plugins.js";
import { openSession } from "../../../runtime/executors/xla/session.js";
import { type Executor, type Hosts, openExecutor, train } from "../../../runtime/index.js";
import { xlaHere } from "../../support/backends.js";
import { inMemory, recipe, stripes } from "../../support/data.js";
import { metHosts } from "../../support/met-hosts.js";
import { surroundings, trained } from "../../support/runs.js";
import { tinyProgram } from "../../support/tiny-program.js";

describe.skipIf(!xlaHere.present)("functions by which plugins find each other", () => {
  const koffi = loadKoffi();
  const form = koffi.proto("void *(void *given)");
  const system = koffi.load(null);
  const free = koffi.address(system.symbol("free"));
  /** As a plugin does: on a thread of its own, which waits. */
  const called = (address: bigint, given: Buffer): Promise<unknown> =>
    new Promise((resolve, reject) => {
      koffi
        .decode(address, form)
        .async(given, (error: Error | null, result: unknown) => (error ? reject(error) : resolve(result)));
    });
  const failures: [number, string][] = [];
  const maker = koffi.register(
    (code: number, message: bigint, size: bigint) => {
      failures.push([code, Buffer.from(koffi.view(message, Number(size)).slice(0)).toString()]);
      return 77n;
    },
    koffi.pointer(koffi.proto("void *(int code, const void *message, size_t size)")),
  );
  const makerPlace = Buffer.alloc(8);
  makerPlace.writeBigUInt64LE(koffi.address(maker));
  const filled = (size: number, words: Readonly<Record<number, bigint | Buffer>>): Buffer => {
    const bytes = Buffer.alloc(size);
    for (const [at, word] of Object.entries(words))
      bytes.writeBigUInt64LE(typeof word === "bigint" ? word : koffi.address(word), Number(at));
    return bytes;
  };
  let hosts: readonly [Hosts, ...Hosts[]];
  beforeAll(async () => {
    hosts = await metHosts(2, { patience: 60 });
  });
  afterAll(() => {
    for (const one of hosts) void one.leave("over");
    koffi.unregister(maker);
  });

  it("are of no use to a plugin for processors, and to other backends, which is said on all hosts", async () => {
    const refused = hosts.map((collectives) =>
      expect(openExecutor("xla", () => {}, { collectives })).rejects.toMatchObject({
        code: "run/hosts",
        why: expect.stringMatching(/node_id|num_nodes/),
      }),
    );
    await Promise.all(refused);
    const [collectives] = hosts;
    await expect(openExecutor("wasm", () => {}, { collectives })).rejects.toMatchObject({ code: "run/hosts" });
  });

  it("wait on one host for what the plugin of another puts", async () => {
    const [here, there] = await Promise.all(hosts.map(({ keyValues }) => keyValueFunctions(keyValues)));
    const key = Buffer.from("a key");
    const got = async (address: bigint, patience: number | null) => {
      const at = patience === null ? 0 : 8;
      const given = filled(80, { 16: key, 24: BigInt(key.length), [32 + at]: makerPlace });
      if (patience !== null) given.writeInt32LE(patience, 32);
      const failed = await called(address, given);
      if (failed !== null) return failed;
      const [value, size, deleter] = [0, 8, 16].map((field) => given.readBigUInt64LE(48 + at + field)) as [
        bigint,
        bigint,
        bigint,
      ];
      const bytes = [...new Uint8Array(koffi.view(value, Number(size)).slice(0))];
      expect(deleter).toBe(free);
      koffi.call(deleter, koffi.proto("void (void *value)"), value);
      return bytes;
    };
    if (!here || !there) throw new Error("two hosts have two");
    expect(await got(there.tryGet, null)).toBe(77n);
    expect(await got(there.get, 20)).toBe(77n);
    expect(failures).toEqual([
      [5, "no host has put a value under a key"],
      [4, "no host put a value under a key within 20 ms"],
    ]);
    const waiting = Promise.all([got(here.get, 60_000), got(there.get, 60_000)]);
    const value = Buffer.from([0, 255, 10, 0]);
    const put = filled(64, { 16: key, 24: BigInt(key.length), 32: value, 40: 4n, 48: makerPlace });
    expect(await called(there.put, put)).toBeNull();
    expect(await waiting).toEqual([[...value], [...value]]);
    expect(await got(here.tryGet, null)).toEqual([...value]);
    await Promise.all([here.close(), there.close()]);
  });
});

type Buffers = Awaited<ReturnType<Awaited<ReturnType<Client["compileForAll"]>>["run"]>>;

/**
 * The devices of one plugin as those of two hosts, two each. A plugin among hosts is given what is on its own devices; this one is given all at once,
 * when both hosts have come. `takesPart`: whether a host takes part in its next sum.
 */
function halves(takesPart: (host: number) => boolean): readonly [Client, Client] {
  const plugin = loadPlugin(findPlugin()?.path ?? "");
  const opened = plugin.call("Client_Create", {})("client");
  const all = devicesOf(plugin, opened, "devices");
  const devices = [all.slice(0, 2), all.slice(2, 4)];
  const arrived: { inputs: Buffers; take: (results: Buffers) => void }[] = [];
  const half = (host: number): Client => {
    const client = clientAt(plugin, opened, { host, devices });
    return {
      ...client,
      async compileForAll(program, many) {
        const executable = await client.compileForAll(program, many);
        const run = async (inputs: Buffers): Promise<Buffers> => {
          if (!takesPart(host)) return new Promise(() => {});
          const results = new Promise<Buffers>((take) => {
            arrived[host] = { inputs, take };
          });
          const [first, second] = arrived;
          if (first && second) {
            arrived.length = 0;
            const sums = await executable.run([...first.inputs, ...second.inputs]);
            first.take(sums.slice(0, many));
            second.take(sums.slice(many));
          }
          return results;
        };
        return { ...executable, run };
      },
      close: () => {},
    };
  };
  return [half(0), half(1)];
}

describe.skipIf(!xlaHere.present)("devices of two hosts", () => {
  const here = surroundings("wasm");
  const training = recipe(inMemory(stripes(27)), { steps: 4, microBatch: 4 });

  /** Both train, each on two devices with its share of the state. Gives their losses, how they ended, and the most numbers at once that they sent. */
  const both = async (takesPart: (host: number, hosts: readonly Hosts[]) => boolean) => {
    const hosts = await metHosts(2, { patience: 60 });
    const clients = halves((host) => takesPart(host, hosts));
    let most = 0;
    const losses: readonly number[][] = [[], []];
    const runs = hosts.map((own, host) => {
      const client = clients[host] as Client;
      const executor: Executor = {
        ...{ name: "xla", backend: "xla", device: "two devices" },
        open: (slots, initial) => openSession(client, slots, initial, { division: { devices: 2, shardState: true } }),
        close: async () => client.close(),
      };
      const counting: Hosts = {
        ...own,
        sum: (values) => {
          most = Math.max(most, values.length);
          return own.sum(values);
        },
      };
      return train(tinyProgram(), training, {
        ...{
          root: ".",
          resume: false,
          spec: "",
          workers: 0,
          checkpointEvery: {},
          signal: new AbortController().signal,
        },
        ...{ executor, directory: `${here.folder}/host-${host}`, hosts: counting },
        report: (event) => {
          if (event.kind === "step") losses[host]?.push(event.loss);
        },
      });
    });
    const ended = await Promise.allSettled(runs);
    return { losses, ended, most };
  };

  it("sum cut states by themselves, to the losses of one; one that is lost meanwhile ends the other with a checkpoint", async () => {
    const directory = `${here.folder}/alone`;
    const alone = await trained(tinyProgram(), training, { executor: here.executor, directory });
    let sums = 0;
    const { losses, ended, most } = await both((host, hosts) => {
      if (host === 0 || ++sums < 4) return true;
      void hosts[1]?.leave("it was stopped");
      return false;
    });
    for (const own of losses) {
      expect(own).toHaveLength(3);
      for (const [i, loss] of own.entries()) expect(loss).toBeCloseTo(alone.losses[i] as number, 5);
    }
    // What is told of a step; sums of gradients are longer.
    expect(most).toBeLessThan(10);
    expect(ended[0]?.status === "rejected" && String(ended[0].reason)).toMatch(
      /host 1 has ended the run: it was stopped\. Everything is saved in .*host-0\/checkpoint-0*3\.safetensors\./,
    );
  });
});

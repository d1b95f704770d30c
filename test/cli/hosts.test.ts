/** Which host a process is: by options, and by the variables of those who start many. How two of them end. */

import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { expect, it } from "vitest";
import { firstNode, hostCount, listeningAddress, meetingPoint, placeAmongHosts } from "../../cli/machine/hosts.js";
import { start } from "./mae.js";
import { project, smallModel, smallRecipe } from "./small.js";

interface Host {
  readonly child: ChildProcess;
  /** On stderr. */
  readonly said: { readonly text: string };
  readonly ended: Promise<unknown[]>;
}

const secret = { MAE_HOSTS_SECRET: "only for this test" };

it.each([
  ["SLURM", { SLURM_NTASKS: "3", SLURM_PROCID: "2", SLURM_STEP_NODELIST: "gpu[07-09],cpu1" }, [2, 3, "gpu07", 29500]],
  [
    "torchrun",
    { WORLD_SIZE: "2", RANK: "0", MASTER_ADDR: "10.0.0.1", MASTER_PORT: "400", TORCHELASTIC_RUN_ID: "a" },
    [0, 2, "10.0.0.1", 401],
  ],
  ["its like", { WORLD_SIZE: "2", RANK: "1", MASTER_ADDR: "::1", MASTER_PORT: "400" }, [1, 2, "::1", 400]],
])("the variables of %s say it", (_, variables, expected) => {
  const place = placeAmongHosts({ hosts: "auto" }, { ...variables, ...secret });
  expect([place?.host, place?.count, place?.address, place?.port]).toEqual(expected);
});

it("options go before variables, and Kubernetes says the number alone", () => {
  const flags = { hosts: 4, meet: meetingPoint("job-0.all:77") } as const;
  expect(placeAmongHosts(flags, { JOB_COMPLETION_INDEX: "3", WORLD_SIZE: "9", MASTER_ADDR: "x", ...secret })).toEqual({
    ...{ host: 3, count: 4, address: "job-0.all", port: 77, secret: secret.MAE_HOSTS_SECRET, patience: 600 },
  });
  expect(placeAmongHosts({}, { WORLD_SIZE: "2", RANK: "0" })).toBeNull();
});

it("says what is missing", () => {
  const whole = { hosts: 2, host: 0, meet: { address: "a", port: 1 } } as const;
  const failing =
    (flags: Parameters<typeof placeAmongHosts>[0], environment = {}) =>
    () =>
      placeAmongHosts(flags, environment);
  expect(failing({ host: 1 })).toThrow("--host is for a training on several hosts");
  expect(failing({ collectives: true })).toThrow("--collectives is for a training on several hosts");
  expect(failing({ hosts: "auto" })).toThrow("nothing says how many hosts there are (2 to 256)");
  expect(failing({ hosts: 2 })).toThrow("nothing says which host this is");
  expect(failing({ hosts: 2, host: 2 })).toThrow("there is no host 2 of 2");
  expect(failing({ hosts: 2, host: 0 })).toThrow("nothing says where the first host is");
  expect(failing(whole)).toThrow("MAE_HOSTS_SECRET holds no secret of 16 letters or more");
  for (const written of ["1", "257", "two"]) expect(() => hostCount(written)).toThrow("It is auto, or a number");
  for (const written of ["", "a:0", "a:b", "::1", "a:65536"])
    expect(() => meetingPoint(written)).toThrow("It is an address");
});

it("the first host listens at a plain address alone, and of a name everywhere", () => {
  expect(meetingPoint("[fd00::1]:9")).toEqual({ address: "fd00::1", port: 9 });
  expect(listeningAddress(meetingPoint("10.1.2.3"))).toBe("10.1.2.3");
  expect(listeningAddress(meetingPoint("node1"))).toBeNull();
  expect(firstNode("n1,n2")).toBe("n1");
});

it("Ctrl-C on another host than the first ends both after the step, and both say how to go on", async () => {
  const cwd = await project({ "small.mae": `edition 2026\n${smallModel}${smallRecipe(8, 100_000)}` });
  const port = 20_000 + (process.pid % 10_000);
  const [one, other] = [0, 1].map((host) => {
    const where = [
      "--hosts",
      "2",
      "--host",
      String(host),
      "--meet",
      `127.0.0.1:${port}`,
      "--out",
      join(cwd, String(host)),
    ];
    const child = start(["train", "small.mae", "--json", "--backend", "onnx", ...where], { cwd, env: secret });
    const said = { text: "" };
    child.stderr?.on("data", (chunk) => {
      said.text += chunk;
    });
    return { child, said, ended: once(child, "close") };
  }) as [Host, Host];
  one.child.stdout?.on("data", (chunk) => {
    if (/"step":2\b/.test(String(chunk))) other.child.kill("SIGINT");
  });
  expect(await Promise.all([one.ended, other.ended])).toEqual([
    [130, null],
    [130, null],
  ]);
  expect(one.said.text).toMatch(
    /stopped after step \d+; everything is saved in 0\n.*--resume --out \S+ .*--hosts 2 --host 0 /,
  );
  expect(other.said.text).toMatch(
    /stopped after step \d+; everything is saved in the folder of the first host\n.*--host 1 /,
  );
});

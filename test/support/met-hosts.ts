/** Hosts of tests: all of them in this process, met over TLS. */

import { type Hosts, type Meeting, meetHosts } from "../../runtime/index.js";

export const meetingOfTests: Omit<Meeting, "host" | "count"> = {
  ...{ address: "127.0.0.1", port: 0, secret: "only for this test, 0123456789" },
  ...{ arrival: 60, patience: 5, note: () => {} },
};

/** The first of `count` hosts, which waits for the others, and the port where it does. */
export async function firstHost(
  count: number,
  changes: Partial<Meeting> = {},
): Promise<{ readonly one: Promise<Hosts>; readonly port: number }> {
  let listening: (port: number) => void = () => {};
  const port = new Promise<number>((resolve) => {
    listening = resolve;
  });
  const one = meetHosts({ ...meetingOfTests, host: 0, count, ...changes, listening: (own) => listening(own) });
  return { one, port: await port };
}

/** The first host first. */
export async function metHosts(count: number, changes: Partial<Meeting> = {}): Promise<readonly [Hosts, ...Hosts[]]> {
  const { one, port } = await firstHost(count, changes);
  const others = Array.from({ length: count - 1 }, (_, i) =>
    meetHosts({ ...meetingOfTests, ...changes, count, host: i + 1, port }),
  );
  return Promise.all([one, ...others]);
}

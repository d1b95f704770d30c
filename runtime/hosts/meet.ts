/**
 * How hosts find each other: the first one listens, the others come, and all show that they know the same secret before anything
 * is read. That is TLS with a pre-shared key, from Node's own library: what they say is encrypted, too. When all are here, nobody listens any more.
 */

import { createHash } from "node:crypto";
import type { AddressInfo } from "node:net";
import { connect, createServer, type TLSSocket, type TlsOptions } from "node:tls";
import { version } from "../package.js";
import { RunError, reasonOf, systemCode } from "../run-error.js";
import { type Hosts, hostName, hostsOver, type Link } from "./hosts.js";
import { linkOver, type Party } from "./link.js";

export interface Meeting {
  /** The number of this host, from 0. */
  readonly host: number;
  readonly count: number;
  /** Where the first one listens and the others find it. */
  readonly address: string;
  readonly port: number;
  /** Whether the first one listens at all addresses of its machine, since the others may know it by another. */
  readonly everywhere?: boolean;
  /** Known to all hosts and to nobody else. */
  readonly secret: string;
  /** Seconds to wait for the others to come. */
  readonly arrival: number;
  /** Seconds to wait for a sign of life of one that has come. */
  readonly patience: number;
  /** Hears how many are here. */
  readonly note: (text: string) => void;
  /** Hears the port that the first one listens on, where 0 was asked for. */
  readonly listening?: (port: number) => void;
}

/** One suite of TLS 1.3, with a fresh key for each connection beside the secret. */
const suite = { minVersion: "TLSv1.3", ciphers: "TLS_AES_128_GCM_SHA256" } as const;
const identity = "maelang";
const keyOf = (secret: string): Buffer => createHash("sha256").update(`${identity}\0${secret}`).digest();

/** Milliseconds in which a stranger has to show the key. */
const handshake = 10_000;
/** Connections at once beyond those of hosts. The first host notes as many addresses that do not know the secret. */
const strangers = 16;
/** Milliseconds between two attempts. */
const retryDelay = 500;

/** @throws RunError `run/host-lost` where not all come in time, `run/host-refused` where one is none of them */
export function meetHosts(meeting: Meeting): Promise<Hosts> {
  return meeting.host === 0 ? awaitOthers(meeting) : joinFirst(meeting);
}

/** What a host says of itself before all else. */
interface Hello {
  readonly version: string;
  readonly host: number;
  readonly count: number;
}

function awaitOthers(meeting: Meeting): Promise<Hosts> {
  const { count, address, port, everywhere, secret, arrival, patience, note, listening } = meeting;
  const key = keyOf(secret);
  const options: TlsOptions = {
    ...suite,
    handshakeTimeout: handshake,
    pskCallback: (_, claimed) => (claimed === identity ? key : null),
  };
  const arrived = new Map<number, Link>();
  return new Promise((resolve, reject) => {
    const server = createServer(options, (socket) => {
      welcome(socket).catch(() => socket.destroy());
    });
    server.maxConnections = count + strangers;
    const notedAddresses = new Set<string>();
    server.on("tlsClientError", (_, { remoteAddress = "an address that is gone" }) => {
      if (notedAddresses.has(remoteAddress) || notedAddresses.size === strangers) return;
      notedAddresses.add(remoteAddress);
      note(`${remoteAddress} does not know the secret, and was sent away`);
    });
    const timer = setTimeout(() => {
      const missing = others(count).filter((host) => !arrived.has(host));
      fail(lostInTime(missing.map(hostName).join(", "), arrival));
    }, arrival * 1000);
    const fail = async (error: RunError): Promise<void> => {
      clearTimeout(timer);
      server.close();
      await Promise.all([...arrived.values()].map((link) => link.end(error.message)));
      reject(error);
    };
    const welcome = async (socket: TLSSocket): Promise<void> => {
      socket.on("error", () => socket.destroy());
      const party: Party = { who: "a host", patience: handshake };
      const link = linkOver(socket, party);
      const hello = accepted(await link.words(), count, arrived);
      if (typeof hello === "string") {
        note(`a host was refused: ${hello}`);
        return link.end(hello);
      }
      prepare(socket);
      const { host } = hello;
      party.who = hostName(host);
      party.patience = patience * 1000;
      // Before all have come, one may go and come again.
      socket.on("close", () => {
        if (server.listening) arrived.delete(host);
      });
      arrived.set(host, link);
      note(`${arrived.size + 1} of ${count} hosts are here`);
      if (arrived.size + 1 < count) return;
      clearTimeout(timer);
      server.close();
      const links = others(count).map((other) => arrived.get(other) as Link);
      await Promise.all(links.map((one) => one.sendWords({ version })));
      resolve(hostsOver(0, count, links));
    };
    server.on("error", (error) => fail(unreachable(`${address}:${port} cannot be listened on`, error)));
    server.listen({ port, ...(everywhere ? {} : { host: address }) }, () => {
      const { port: own } = server.address() as AddressInfo;
      listening?.(own);
      note(`waiting for ${count - 1} other ${count === 2 ? "host" : "hosts"} at ${address}:${own}`);
    });
  });
}

/** Small frames are sent at once: the other side waits for each of them. */
function prepare(socket: TLSSocket): void {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, handshake);
}

const others = (count: number): readonly number[] => Array.from({ length: count - 1 }, (_, i) => i + 1);

/** Who comes, or why it may not. */
function accepted(words: unknown, count: number, arrived: ReadonlyMap<number, Link>): Hello | string {
  const hello = (typeof words === "object" && words !== null ? words : {}) as Partial<Hello>;
  const { host, version: theirs } = hello;
  if (theirs !== version)
    return `it has maelang ${String(theirs).slice(0, longestName)}, and the first host has ${version}`;
  if (hello.count !== count)
    return `it is one of ${String(hello.count).slice(0, longestName)} hosts, and the first waits for ${count} in all`;
  if (typeof host !== "number" || !others(count).includes(host))
    return `it calls itself host ${String(host).slice(0, longestName)}, and there are 0 to ${count - 1}`;
  if (arrived.has(host)) return `another host ${host} is here already`;
  return { version, host, count };
}

/** Letters of what a host says of itself that are repeated. */
const longestName = 40;

async function joinFirst({ host, count, address, port, secret, arrival, patience, note }: Meeting): Promise<Hosts> {
  const end = performance.now() + arrival * 1000;
  note(`looking for the first host at ${address}:${port}`);
  for (;;) {
    const socket = await reach({ address, port, secret }, end);
    if (socket instanceof Error) {
      if (performance.now() > end) throw unreachable("The first host could not be reached", socket);
      await new Promise((wake) => setTimeout(wake, retryDelay));
      continue;
    }
    prepare(socket);
    const party: Party = { who: hostName(0), patience: arrival * 1000 };
    const link = linkOver(socket, party);
    try {
      await link.sendWords({ version, host, count } satisfies Hello);
      await link.words();
      party.patience = patience * 1000;
    } catch (error) {
      await link.end("it was not taken");
      throw new RunError("run/host-refused", {
        what: "The first host did not take this one",
        why: error instanceof RunError ? (error.why ?? error.what) : reasonOf(error),
        help: "Start all hosts with the same version and the same number of hosts, each with a number of its own.",
      });
    }
    return hostsOver(host, count, [link]);
  }
}

/** A connection; an error where the first host may be here later. */
function reach(
  { address, port, secret }: Pick<Meeting, "address" | "port" | "secret">,
  end: number,
): Promise<TLSSocket | Error> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      ...suite,
      host: address,
      port,
      pskCallback: () => ({ psk: keyOf(secret), identity }),
      // The key says who it is; there is no certificate.
      checkServerIdentity: () => undefined,
      timeout: Math.max(retryDelay, Math.min(handshake, end - performance.now())),
    });
    socket.on("secureConnect", () => {
      socket.setTimeout(0);
      socket.removeAllListeners("error");
      resolve(socket);
    });
    socket.on("timeout", () => socket.destroy(new Error("it does not answer")));
    socket.on("error", (error) => {
      if (!systemCode(error).startsWith("ERR_SSL")) return resolve(error);
      reject(
        new RunError("run/host-refused", {
          what: "The first host does not know the secret of this one",
          why: "Their secrets differ, or another program listens there.",
          help: "Give all hosts the same secret, address and port.",
        }),
      );
    });
  });
}

const unreachable = (what: string, error: unknown): RunError =>
  new RunError("run/host-lost", {
    what,
    why: reasonOf(error),
    help: "Look at the address, the port and the firewalls between the hosts.",
  });

const lostInTime = (who: string, arrival: number): RunError =>
  new RunError("run/host-lost", {
    what: `${who} did not come within ${arrival} s`,
    help: "Start all hosts at about the same time, with the same address and port.",
  });

/** Which of several hosts this process is, by options or by the variables of SLURM, torchrun and Kubernetes' indexed jobs. */

import { isIP } from "node:net";
import { InvalidArgumentError } from "commander";
import { usageFailure } from "../words/failure.js";

/** What the command line says of hosts. */
export interface HostFlags {
  /** How many; auto: as many as the variables say. */
  readonly hosts?: number | "auto";
  readonly host?: number;
  readonly meet?: Address;
  /** Seconds. */
  readonly hostTimeout?: number;
  /** Whether devices sum over hosts by themselves. */
  readonly collectives?: boolean;
}

export interface Address {
  readonly address: string;
  readonly port: number;
}

/** Of this process. */
export interface Place extends Address {
  readonly host: number;
  readonly count: number;
  readonly secret: string;
  /** Seconds without a sign of life. */
  readonly patience: number;
}

/** More would wait for the first one's network alone. */
export const mostHosts = 256;

/** As torchrun has it. */
const usualPort = 29500;
const mostPort = 65535;
const usualPatience = 600;

export const secretVariable = "MAE_HOSTS_SECRET";

export function hostCount(written: string): number | "auto" {
  if (written === "auto") return "auto";
  const count = /^\d+$/.test(written) ? Number(written) : 0;
  if (count < 2 || count > mostHosts) throw new InvalidArgumentError(`It is auto, or a number from 2 to ${mostHosts}.`);
  return count;
}

/** `10.0.0.1:29500`, `node1`, `[fd00::1]:29500`. */
export function meetingPoint(written: string): Address {
  const [, bracketed, plain, port] = /^(?:\[([\da-f:.]+)\]|([^\s:/[\]]+))(?::(\d+))?$/i.exec(written) ?? [];
  const address = bracketed ?? plain;
  const number = port === undefined ? usualPort : Number(port);
  if (address === undefined || number < 1 || number > mostPort)
    throw new InvalidArgumentError("It is an address of the first host, with a port: 10.0.0.1:29500.");
  return { address, port: number };
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Throws a usage failure where something of it is not said. null: it trains alone. */
export function placeAmongHosts(flags: HostFlags, environment: Environment = process.env): Place | null {
  const { hosts } = flags;
  if (hosts === undefined) {
    const [idle] = (["host", "meet", "hostTimeout", "collectives"] as const).filter(
      (name) => flags[name] !== undefined,
    );
    if (idle === undefined) return null;
    throw usageFailure(`--${idle === "hostTimeout" ? "host-timeout" : idle} is for a training on several hosts`, {
      help: "say how many with --hosts",
    });
  }
  const count = hosts === "auto" ? numberIn(environment, ["WORLD_SIZE", "SLURM_NTASKS"]) : hosts;
  if (count === null || count < 2 || count > mostHosts)
    throw missing(`how many hosts there are (2 to ${mostHosts})`, "--hosts <n>", "WORLD_SIZE or SLURM_NTASKS");
  const host = flags.host ?? numberIn(environment, ["RANK", "SLURM_PROCID", "JOB_COMPLETION_INDEX"]);
  if (host === null) throw missing("which host this is", "--host <i>", "RANK, SLURM_PROCID or JOB_COMPLETION_INDEX");
  if (host >= count)
    throw usageFailure(`there is no host ${host} of ${count}`, { help: `they are numbered from 0 to ${count - 1}` });
  const meet = flags.meet ?? addressIn(environment);
  if (meet === null)
    throw missing("where the first host is", "--meet <address:port>", "MASTER_ADDR or SLURM_STEP_NODELIST");
  const secret = environment[secretVariable] ?? "";
  if (secret.length < shortestSecret)
    throw usageFailure(`${secretVariable} holds no secret of ${shortestSecret} letters or more`, {
      reason: "Hosts show each other that they know the same secret, so that nobody else takes part.",
      help: `make one (openssl rand -hex 32), and set ${secretVariable} to it on all hosts`,
    });
  return { host, count, ...meet, secret, patience: flags.hostTimeout ?? usualPatience };
}

/** A shorter one might be guessed. */
const shortestSecret = 16;

const missing = (what: string, option: string, variables: string) =>
  usageFailure(`nothing says ${what}`, { help: `give ${option}, or set ${variables}` });

/** The first of some variables that is a whole number. */
function numberIn(environment: Environment, names: readonly string[]): number | null {
  const written = names
    .map((name) => environment[name])
    .find((value) => value !== undefined && /^\d{1,9}$/.test(value));
  return written === undefined ? null : Number(written);
}

function addressIn(environment: Environment): Address | null {
  const { MASTER_ADDR: master, TORCHELASTIC_RUN_ID: elastic } = environment;
  const nodes = environment.SLURM_STEP_NODELIST ?? environment.SLURM_JOB_NODELIST;
  if (master !== undefined && master !== "") {
    const port = numberIn(environment, ["MASTER_PORT"]) ?? usualPort;
    // Torchrun itself listens on the port that it names.
    return { address: master, port: elastic === undefined ? port : port + 1 };
  }
  return nodes === undefined || nodes === "" ? null : { address: firstNode(nodes), port: usualPort };
}

/** `gpu[03-05,9],cpu1` -> `gpu03` */
export const firstNode = (nodes: string): string => nodes.replace(/\[(\d+)[^\]]*\]/g, "$1").split(",")[0] as string;

/** Where the first host listens: at a plain address there alone; of a name, which its own machine may know as another address, everywhere. */
export const listeningAddress = ({ address }: Address): string | null =>
  isIP(address) !== 0 || address === "localhost" ? address : null;

/** The options of a host as they were given, each behind a space: for the command that goes on. */
export function hostsAgain({ hosts, host, meet, hostTimeout, collectives }: HostFlags): string {
  const named = {
    hosts,
    host,
    meet: meet && `${meet.address.includes(":") ? `[${meet.address}]` : meet.address}:${meet.port}`,
    "host-timeout": hostTimeout === undefined ? undefined : `${hostTimeout}s`,
  };
  const written = Object.entries(named).flatMap(([name, value]) =>
    value === undefined ? [] : [` --${name} ${value}`],
  );
  return [...written, ...(collectives ? [" --collectives"] : [])].join("");
}

/** Several runs, one after the other, are not trained by several hosts. */
export function refuseHosts({ hosts }: HostFlags, what: string): void {
  if (hosts === undefined) return;
  throw usageFailure(`${what} are trained by one host each`, {
    help: "train one recipe with --hosts, or give each host other members",
  });
}

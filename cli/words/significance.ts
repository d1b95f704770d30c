/**
 * What several seeds say of the members of a family: means and deviations, and whether two members differ by more than seeds do.
 * What they cannot say is said too.
 */

import type { Variant } from "../../compiler/index.js";

/** What is known of a member that has been trained. */
export interface SeedMember {
  readonly name: string;
  readonly differences: Variant["differences"];
  readonly seed: number;
  /** null: there was none, or the training failed. */
  readonly loss: number | null;
  /** By probe and score; null: no finite number. */
  readonly scores: Readonly<Record<string, number | null>>;
  /** Why the training failed; null: it did not. */
  readonly failure: string | null;
}

/** Members that differ in nothing but their seed. */
export interface SeedGroup {
  /** Of the family's differences, all but the seed: `mask-spiral.r-75`; `only` where there are no others. */
  readonly name: string;
  readonly members: readonly string[];
  readonly seeds: readonly number[];
  /** By probe and score, and `loss`; of those that ended well. */
  readonly scores: Readonly<Record<string, Spread>>;
}

export interface Spread {
  readonly mean: number;
  /** Standard deviation, divided by one less than the number of seeds; null: of one seed. */
  readonly deviation: number | null;
  readonly seeds: number;
}

/** A score of two groups, seed by seed. */
export interface PairedDifference {
  readonly score: string;
  readonly group: string;
  /** What it is compared with. */
  readonly reference: string;
  /** That both have. */
  readonly seeds: number;
  readonly mean: number;
  /** null: one seed has none. */
  readonly interval: readonly [number, number] | null;
  /** What the interval lets one say of the group beside the reference. */
  readonly verdict: "higher" | "lower" | "undecided";
}

/** Part of `report.json`; its fields are documented in `docs/cli.md`. */
export interface SeedStudy {
  readonly groups: readonly SeedGroup[];
  readonly differences: readonly PairedDifference[];
  /** The rule of the intervals, in words. */
  readonly rule: string;
  /** What follows and what does not, one sentence each. */
  readonly said: readonly string[];
}

/** Share of studies whose intervals all hold the true difference. */
const confidence = 0.95;

/** What the seeds of a family say; null: it varies none. */
export function seedStudy(members: readonly SeedMember[]): SeedStudy | null {
  const groups = groupsOf(members);
  const [reference, ...others] = groups;
  if (!reference || !members.some(({ differences }) => differences.some(isSeed))) return null;
  const names = scoreNames(members).filter((name) => name !== "loss");
  const level = 1 - (1 - confidence) / Math.max(1, others.length);
  const differences = names.flatMap((score) =>
    others.flatMap((group) => pairedDifference(score, group, reference, level) ?? []),
  );
  const rule =
    `Student's t of paired differences over seeds; intervals of ${share(level)} each` +
    (others.length > 1
      ? `, so that all ${others.length} hold together in ${share(confidence)} of studies (Bonferroni)`
      : "");
  return { groups: groups.map(spreadOf), differences, rule, said: saidOf(groups, differences, names) };
}

const isSeed = ({ path }: { readonly path: string }): boolean => path === "seed";

interface Group {
  readonly name: string;
  readonly members: readonly SeedMember[];
}

/** Members of one model each, in the order of the family. */
function groupsOf(members: readonly SeedMember[]): readonly Group[] {
  const groups = new Map<string, { name: string; members: SeedMember[] }>();
  for (const member of members) {
    const rest = member.differences.filter((difference) => !isSeed(difference));
    const key = JSON.stringify(rest);
    const parts = member.name
      .split(".")
      .slice(1)
      .filter((part) => !/^seed-\d/.test(part));
    const group = groups.get(key) ?? { name: parts.join(".") || "only", members: [] };
    group.members.push(member);
    groups.set(key, group);
  }
  return [...groups.values()];
}

const measureOf = ({ scores, loss, failure }: SeedMember, name: string): number | null =>
  failure !== null ? null : name === "loss" ? loss : (scores[name] ?? null);

const scoreNames = (members: readonly SeedMember[]): readonly string[] => [
  "loss",
  ...new Set(members.flatMap(({ scores }) => Object.keys(scores))),
];

function spreadOf({ name, members }: Group): SeedGroup {
  const scores = scoreNames(members).flatMap((score): [string, Spread][] => {
    const values = members.flatMap((member) => measureOf(member, score) ?? []);
    return values.length === 0 ? [] : [[score, { ...spread(values), seeds: values.length }]];
  });
  return {
    name,
    members: members.map((member) => member.name),
    seeds: members.map(({ seed }) => seed),
    scores: Object.fromEntries(scores),
  };
}

function spread(values: readonly number[]): { readonly mean: number; readonly deviation: number | null } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  if (values.length < 2) return { mean, deviation: null };
  return {
    mean,
    deviation: Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1)),
  };
}

/** null: no seed has both. */
function pairedDifference(score: string, group: Group, reference: Group, level: number): PairedDifference | null {
  const values = group.members.flatMap((member) => {
    const partner = reference.members.find(({ seed }) => seed === member.seed);
    const [own, other] = [measureOf(member, score), partner ? measureOf(partner, score) : null];
    return own === null || other === null ? [] : [own - other];
  });
  if (values.length === 0) return null;
  const { mean, deviation } = spread(values);
  const half =
    deviation === null ? null : (studentQuantile(level, values.length - 1) * deviation) / Math.sqrt(values.length);
  const interval = half === null ? null : ([mean - half, mean + half] as const);
  const verdict =
    interval === null ? "undecided" : interval[0] > 0 ? "higher" : interval[1] < 0 ? "lower" : "undecided";
  return { score, group: group.name, reference: reference.name, seeds: values.length, mean, interval, verdict };
}

const share = (part: number): string => `${Number((100 * part).toPrecision(4))} %`;

const number = (value: number): string => String(Number(value.toPrecision(3)));

function saidOf(
  groups: readonly Group[],
  differences: readonly PairedDifference[],
  names: readonly string[],
): readonly string[] {
  const seeds = Math.min(...groups.map(({ members }) => members.length));
  const said = differences.map(({ score, group, reference, mean, interval, verdict }) => {
    const by = interval === null ? number(mean) : `${number(mean)} (${interval.map(number).join(" to ")})`;
    if (verdict === "undecided") {
      const range =
        interval === null ? "one seed has no interval" : `the difference may be ${interval.map(number).join(" to ")}`;
      return `${score}: ${group} and ${reference} cannot be told apart by these seeds; ${range}.`;
    }
    return `${score}: ${group} is ${verdict} than ${reference} by ${by}.`;
  });
  const limits = [
    ...(names.length === 0
      ? ["No probe judged the members, and losses of different tasks are not compared: add an `evaluate` line."]
      : []),
    ...(seeds < 5 && seeds > 1 && groups.length > 1
      ? [
          `With ${seeds} seeds an interval is ${number(studentQuantile(confidence, seeds - 1) / Math.sqrt(seeds))} deviations or more to each side: small differences that are there are not seen. ` +
            "More seeds see them; that a difference is not seen does not say that there is none.",
        ]
      : []),
    "Seeds vary weights, masks, crops and order, and neither the images nor the classes: what other test images would say is not in these intervals. With few classes or few test images it can be more than what seeds change.",
  ];
  return [...said, ...limits];
}

/** Probability that a Student's t of so many degrees of freedom lies between -t and t. Abramowitz and Stegun, 26.7.3 and 26.7.4. */
function withinStudent(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let k = isOdd ? 3 : 2; k <= degrees - 2; k += 2) {
    term *= (cosine ** 2 * (k - 1)) / k;
    sum += term;
  }
  return isOdd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

/** The t between whose negative and itself a Student's t of so many degrees of freedom lies with this probability. */
export function studentQuantile(probability: number, degrees: number): number {
  let [low, high] = [0, 1];
  while (withinStudent(high, degrees) < probability) high *= 2;
  for (let i = 0; i < 100; i++) {
    const middle = (low + high) / 2;
    if (withinStudent(middle, degrees) < probability) low = middle;
    else high = middle;
  }
  return high;
}

/** What is made of scores of anomalies: areas and smoothed scores are those of scikit-learn and NumPy, as test/reference/anomaly.py recorded them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { type AnomalyProbe, defaultsOf, registry, type ScoredRecord } from "../../../blocks/index.js";
import { gaussian, smoothed } from "../../../blocks/probe/anomaly.js";

type Areas = Readonly<Record<string, number>>;

interface Recorded {
  readonly taps: number;
  readonly sigma: number;
  readonly records: readonly { readonly scores: readonly number[]; readonly odd: readonly number[] }[];
  readonly plain: Areas;
  readonly smoothed: Areas;
  readonly smoothedScores: readonly (readonly number[])[];
  readonly machines: readonly {
    readonly name: string;
    readonly scores: readonly number[];
    readonly odd: readonly number[];
  }[];
  readonly ofMachines: Areas;
}

const expected = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../reference/anomaly.json"), "utf8"),
) as Recorded;
const probe = registry.probe.find(({ name }) => name === "anomaly") as unknown as AnomalyProbe;

const judged = (records: readonly ScoredRecord[], values: object = {}) =>
  probe.judgeRecords({ ...defaultsOf(probe.params), ...values } as never, records);

const videos = expected.records.map(
  ({ scores, odd }, i): ScoredRecord => ({
    ...{ name: `video ${i}`, group: `video ${i}`, byFrame: true },
    ...{ scores: Float64Array.from(scores), odd: Uint8Array.from(odd) },
  }),
);

function compare(found: Areas, wanted: Areas): void {
  for (const [name, area] of Object.entries(wanted)) expect(found[name], name).toBeCloseTo(area, 10);
}

test("areas of frames are scikit-learn's, together and by video, whole and partial", async () => {
  compare((await judged(videos)).scores, expected.plain);
  const values = { smooth: expected.sigma, taps: expected.taps };
  const { scores, details } = await judged(videos, values);
  compare(scores, expected.smoothed);
  const taps = gaussian(expected.sigma, expected.taps);
  for (const [i, { scores: own }] of videos.entries()) {
    const found = smoothed(own, taps);
    expect(found).toHaveLength(own.length);
    for (const [t, score] of found.entries()) expect(score).toBeCloseTo(expected.smoothedScores[i]?.[t] as number, 12);
  }
  expect(details?.records).toHaveLength(videos.length);
});

test("of machines each sound has one score, and macro is the mean over machines", async () => {
  const sounds = expected.machines.flatMap(({ name, scores, odd }) =>
    scores.map((score, i): ScoredRecord => {
      const one = { scores: Float64Array.of(score), odd: Uint8Array.of(odd[i] as number) };
      return { name: `${name}/${i}`, group: name, byFrame: false, ...one };
    }),
  );
  const { scores } = await judged(sounds);
  compare(scores, expected.ofMachines);
  // A machine of which all sounds are usual has no area and counts in no mean.
  const one: ScoredRecord = { ...(sounds[0] as ScoredRecord), group: "id_04" };
  compare((await judged([...sounds, one])).scores, expected.ofMachines);
});

test("scores of a video may be brought to one range", async () => {
  const { details } = await judged(videos, { rescale: true });
  for (const { scores } of (details?.records ?? []) as readonly { readonly scores: readonly number[] }[])
    expect([Math.min(...scores), Math.max(...scores)]).toEqual([0, 1]);
});

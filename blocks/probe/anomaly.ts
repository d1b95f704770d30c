/**
 * How well anomalies are told from what is usual by how badly a model completes what it sees. The model was trained on usual samples alone; who
 * reads the samples and computes the errors is the runtime, this file says what is made of them.
 */

import { choice, flag, int, labels, optional, ratio, real, text, type ValuesOf } from "../params.js";
import { defineAnomalyProbe, type ScoredRecord } from "./contract.js";
import { areaUnderRoc, partialAreaUnderRoc } from "./measures.js";

const params = {
  normal: text({
    default: "normal",
    doc: "The class of samples without anomalies; those of all other classes are anomalies. Not asked for where the data say which frames are.",
  }),
  clips: optional(
    int({
      min: 1,
      max: 4096,
      doc: "Parts of each sample that are looked at, evenly spread over its time; if absent, as many as it takes.",
    }),
  ),
  every: optional(
    int({
      min: 1,
      max: 65_536,
      doc: "Frames, or samples of a signal, between the beginnings of two parts; if absent, half of what the model reads.",
    }),
  ),
  masks: optional(
    int({
      min: 1,
      max: 1024,
      doc: "Masks under which each part is completed; if absent, as many as it takes until every patch was hidden, at most 16.",
    }),
  ),
  over: choice({
    default: "hidden",
    options: { hidden: "Patches where they are hidden.", all: "All patches, hidden or not, as AED-MAE has it." },
    doc: "Which errors count.",
  }),
  error: choice({
    default: "square",
    options: { square: "Squares of differences.", absolute: "Differences without their signs." },
    doc: "What an error is.",
  }),
  add: optional(
    labels({
      doc: "Targets of what the model's own decoder predicts, by label, such as `[student]`: how far the decoders of these are from it is added to the error. If absent, nothing.",
    }),
  ),
  patches: choice({
    default: "mean",
    options: { mean: "Their mean.", largest: "The largest: one odd thing is enough, as among the cubes of a frame." },
    doc: "What of the errors of its patches is that of a frame.",
  }),
  frame: choice({
    default: "each",
    options: {
      each: "Each frame has its own error, the mean over all parts that it lies in.",
      middle: "The middle frame of a part has the error of the whole part.",
    },
    doc: "What the error of a frame is.",
  }),
  record: choice({
    default: "mean",
    options: { mean: "Their mean.", largest: "The largest." },
    doc: "What of the errors of its frames is that of a sample of which no more is known than its class.",
  }),
  smooth: optional(
    real({ min: 0, openMin: true, max: 1e5, doc: "Deviation in frames of the Gaussian that scores are smoothed by." }),
  ),
  taps: optional(
    int({
      min: 1,
      max: 65_535,
      doc: "Numbers of that Gaussian; if absent, three deviations to each side.",
    }),
  ),
  rescale: flag({
    default: false,
    doc: "Whether the scores of each sample are brought to 0 to 1 by their least and largest one.",
  }),
  fpr: ratio({
    default: 0.1,
    open: true,
    doc: "Largest share of false alarms up to which the partial area is taken.",
  }),
};

export const anomaly = defineAnomalyProbe({
  name: "anomaly",
  summary: "How well anomalies are told by how badly the model completes them: areas under the ROC curve.",
  source:
    "Ristea et al., Self-Distilled Masked Auto-Encoders are Efficient Video Anomaly Detectors, CVPR 2024; partial areas: Koizumi et al., DCASE 2020 Challenge Task 2; parts and masks that cover a sample: own definition",
  since: "0.2",
  params,
  requires: [
    {
      name: "clips-or-every",
      at: "every",
      doc: "Only one of `clips` and `every` is written.",
      holds: ({ clips, every }) => clips === null || every === null,
      say: () => "both `clips` and `every` say which parts are looked at",
      help: () => "keep one of them",
    },
    {
      name: "imitations",
      at: "add",
      doc: "What `add` names are targets of what the model's own decoder predicts.",
      holds: ({ add }, { imitations }) => (add ?? []).every((label) => imitations.includes(label)),
      say: ({ add }, { imitations }) =>
        `no target \`${(add ?? []).find((label) => !imitations.includes(label))}\` is made of what the model's own decoder predicts`,
      help: (_, { imitations }) =>
        imitations.length === 0
          ? "add one to the model, such as `target student: imitation { ... }`, or remove `add`"
          : `there ${imitations.length === 1 ? "is" : "are"} ${imitations.map((label) => `\`${label}\``).join(", ")}`,
    },
    {
      name: "taps-of-smooth",
      at: "taps",
      doc: "`taps` stands beside `smooth`.",
      holds: ({ taps, smooth }) => taps === null || smooth !== null,
      say: () => "`taps` are numbers of the Gaussian, and `smooth` is not written",
      help: () => "write `smooth`, its deviation in frames, or remove `taps`",
    },
  ],
  looks: (p) => p,
  async judgeRecords(p, records) {
    const judged = records.map((record) => ({ ...record, scores: finished(record, p) }));
    const isByFrame = records.some(({ byFrame }) => byFrame);
    const groups = groupsOf(judged);
    const areas = groups.map((group) => areasOf(group, p.fpr, isByFrame));
    const all = areasOf(judged, p.fpr, false);
    return {
      scores: {
        auc: all.auc,
        macro_auc: meanOf(areas.map(({ auc }) => auc)),
        pauc: all.pauc,
        macro_pauc: meanOf(areas.map(({ pauc }) => pauc)),
        ...(isByFrame ? {} : { harmonic_mean: harmonicMean(areas.flatMap(({ auc, pauc }) => [auc, pauc])) }),
      },
      protocol: protocolOf(p, judged, groups.length, isByFrame),
      details: {
        groups: groups.map((group, i) => ({ name: group[0]?.group, ...areas[i] })),
        records: judged.map(({ name, scores, odd }) => ({ name, scores: [...scores], odd: [...odd] })),
      },
    };
  },
});

type Values = ValuesOf<typeof params>;

/** Smoothed and brought to one range, where that is asked for. */
function finished({ scores, byFrame }: ScoredRecord, { smooth, taps, rescale }: Values): Float64Array {
  if (!byFrame) return scores;
  const even = smooth === null ? scores : smoothed(scores, gaussian(smooth, taps ?? 2 * Math.ceil(3 * smooth) + 1));
  if (!rescale) return even;
  const [least, most] = [even.reduce((a, b) => Math.min(a, b)), even.reduce((a, b) => Math.max(a, b))];
  return even.map((score) => (most > least ? (score - least) / (most - least) : 0));
}

/** As in the code of AED-MAE, where an even number of taps has its top at one of the two middle ones, and an odd one left of the middle. */
export const gaussian = (deviation: number, taps: number): Float64Array =>
  Float64Array.from({ length: taps }, (_, i) => {
    const middle = Math.max(0, Math.floor(taps / 2) - 1);
    return Math.exp(-0.5 * ((i - middle) / deviation) ** 2) / (deviation * Math.sqrt(2 * Math.PI));
  });

/** Sums of neighbours, weighted by the taps; beyond the ends lie zeros. As many as there were. */
export function smoothed(scores: Float64Array, taps: Float64Array): Float64Array {
  const before = Math.floor(taps.length / 2);
  return scores.map((_, i) =>
    taps.reduce((sum, tap, k) => {
      const score = scores[i + k - before];
      return score === undefined ? sum : sum + tap * score;
    }, 0),
  );
}

function groupsOf<R extends ScoredRecord>(records: readonly R[]): readonly (readonly R[])[] {
  const groups = new Map<string, R[]>();
  for (const record of records) groups.set(record.group, [...(groups.get(record.group) ?? []), record]);
  return [...groups.values()];
}

interface Areas {
  readonly auc: number;
  readonly pauc: number;
}

/**
 * Of all scores of some records together. `ends`: with a usual frame of score 0 and an odd one of score 1 beside them, or of the least and largest score
 * where these lie beyond, so that a video has an area that has no anomaly, as in the published evaluation.
 */
function areasOf(records: readonly ScoredRecord[], fpr: number, ends: boolean): Areas {
  const all = records.flatMap((record) => [...record.scores]);
  const scores = Float64Array.from([
    ...(ends ? [all.reduce((least, score) => Math.min(least, score), 0)] : []),
    ...all,
    ...(ends ? [all.reduce((most, score) => Math.max(most, score), 1)] : []),
  ]);
  const odd = [
    ...(ends ? [false] : []),
    ...records.flatMap((record) => Array.from(record.odd, (one) => one === 1)),
    ...(ends ? [true] : []),
  ];
  return {
    auc: areaUnderRoc(scores, odd) ?? Number.NaN,
    pauc: partialAreaUnderRoc(scores, odd, fpr) ?? Number.NaN,
  };
}

/** Of those that are known. */
function meanOf(numbers: readonly number[]): number {
  const known = numbers.filter(Number.isFinite);
  return known.reduce((sum, number) => sum + number, 0) / known.length;
}

const harmonicMean = (numbers: readonly number[]): number => 1 / meanOf(numbers.map((number) => 1 / number));

function protocolOf(p: Values, records: readonly ScoredRecord[], groups: number, isByFrame: boolean): string {
  const { clips, every, masks, smooth, rescale } = p;
  const parts =
    clips !== null
      ? `${clips} parts of each`
      : every !== null
        ? `a part every ${every} frames`
        : "parts that overlap by half";
  const marked = records.reduce((sum, { odd }) => sum + odd.reduce((own, one) => own + one, 0), 0);
  const judged = records.reduce((sum, { odd }) => sum + odd.length, 0);
  const what = isByFrame
    ? `${judged} frames of ${records.length} test samples, ${marked} of them anomalous; macro: the mean of the areas of each sample, to which a usual frame of score 0 and an anomalous one of score 1 are added`
    : `${judged} test samples, ${marked} of them anomalous; macro: the mean over ${groups} folders`;
  const how = [
    `${p.error === "square" ? "squared" : "absolute"} errors of ${p.over === "all" ? "all" : "hidden"} patches`,
    ...(p.add === null ? [] : [`with those of ${p.add.join(" and ")} against the model's own prediction`]),
    p.patches === "largest" ? "the largest of a frame" : "their mean in a frame",
    ...(isByFrame ? [] : [`${p.record === "mean" ? "the mean" : "the largest"} over frames`]),
    ...(isByFrame && smooth !== null ? [`smoothed by a Gaussian of ${smooth} frames`] : []),
    ...(isByFrame && rescale ? ["each sample from 0 to 1"] : []),
  ];
  return (
    `area under the ROC curve of ${how.join(", ")}, under ${masks === null ? "as many masks as hide every patch" : `${masks} masks`}, ` +
    `${parts}; partial areas up to ${p.fpr} of false alarms, standardised; ${what}`
  );
}

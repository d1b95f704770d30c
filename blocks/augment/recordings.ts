/** What is done to recordings before an array is made of them: their channels, their gaps, their sampling rate, their frequencies. */

import { rateOf } from "../arrays.js";
import { choice, frequency, int, optional, ratio, real, text } from "../params.js";
import { counted } from "../wording.js";
import { defineAugment } from "./contract.js";

export const mix = defineAugment({
  name: "mix",
  summary: "Makes as many channels as the model reads: several become their mean, one is repeated.",
  source: "own definition; the mean is that of torchaudio's tutorials and of librosa.to_mono",
  since: "0.2",
  changes: "recordings",
  params: {},
  random: false,
  plan: () => [{ kind: "channels" }],
});

const namesOf = (names: string): readonly string[] =>
  names
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");

export const leads = defineAugment({
  name: "leads",
  summary: "Takes the leads of these names, in their order, and leaves out all others.",
  source: "own definition",
  since: "0.2",
  changes: "recordings",
  params: {
    names: text({ doc: "Names as the files have them, separated by commas; capital letters do not matter." }),
  },
  positional: "names",
  requires: [
    {
      name: "names",
      at: "names",
      doc: "It names as many leads as the model reads.",
      holds: ({ names }, { array }) => namesOf(names).length === (array.sound ? array.channels : array.axes[0]?.size),
      say: ({ names }, { array }) =>
        `${counted(namesOf(names).length, "lead")} named, and the model reads ${array.sound ? array.channels : array.axes[0]?.size}`,
      help: () => 'name each of them: `leads("I, II, V1")`',
    },
  ],
  random: false,
  plan: ({ names }) => [{ kind: "pick", names: namesOf(names) }],
});

export const fillGaps = defineAugment({
  name: "fill_gaps",
  summary: "Puts numbers where samples of a record are missing.",
  source: "own definition",
  since: "0.2",
  changes: "recordings",
  params: {
    by: choice({
      default: "lines",
      options: {
        lines: "Lines between the samples on both sides; at an end, the nearest sample.",
        zeros: "Zeros.",
      },
      doc: "Which numbers.",
    }),
  },
  positional: "by",
  random: false,
  plan: ({ by }) => [{ kind: "fill", by }],
});

/** torchaudio's, which is that of librosa's `kaiser_best`. */
const usualBeta = 14.769656459379492;

export const resample = defineAugment({
  name: "resample",
  summary: "Makes the sampling rate that the model reads of any other, by a windowed sinc.",
  source: "Smith, Digital Audio Resampling Home Page, 2002; in the form of torchaudio.functional.resample",
  since: "0.2",
  changes: "recordings",
  params: {
    width: int({ min: 1, max: 256, default: 6, doc: "Crossings of zero on either side, after which the sinc ends." }),
    rolloff: ratio({
      default: 0.99,
      open: true,
      doc: "Where frequencies are cut, as a share of the highest that both rates have.",
    }),
    window: choice({
      default: "hann",
      options: { hann: "A raised cosine.", kaiser: "That of Kaiser." },
      doc: "How the sinc fades out.",
    }),
    beta: optional(
      real({
        min: 0,
        max: 100,
        doc: `Of the window of Kaiser: more is smoother and less sharp; if absent, ${usualBeta}.`,
      }),
    ),
  },
  requires: [
    {
      name: "beta-of-kaiser",
      at: "beta",
      doc: "`beta` is of the window of Kaiser alone.",
      holds: (p) => p.beta === null || p.window === "kaiser",
      say: () => "`beta` shapes the window of Kaiser, and the window is a raised cosine",
      help: () => "write `window: kaiser`, or remove `beta`",
    },
    {
      name: "rate",
      at: null,
      doc: "The model says which sampling rate it reads.",
      holds: (_, { array }) => rateOf(array) !== null,
      say: () => "the model reads signals and does not say how many samples a second they have",
      help: () => "write it in the model's input: `signal(rate: 250 Hz, ...)`",
    },
  ],
  random: false,
  plan: ({ width, rolloff, window, beta }) => [
    { kind: "rate", width, rolloff, beta: window === "kaiser" ? (beta ?? usualBeta) : null },
  ],
});

const edge = (doc: string) => optional(frequency({ min: 0.0001, max: 50_000_000, doc }));

export const bandPass = defineAugment({
  name: "band_pass",
  summary: "Takes out frequencies below and above a band, by filters of Butterworth without a shift in time.",
  source: "Butterworth, On the Theory of Filter Amplifiers, 1930; in the form of scipy.signal.sosfiltfilt",
  since: "0.2",
  changes: "recordings",
  params: {
    low: edge("What lies below is taken out, such as the wandering of a baseline; if absent, nothing is."),
    high: edge("What lies above is taken out, such as noise; if absent, nothing is."),
    order: int({ min: 1, max: 16, default: 5, doc: "How sharply each of both filters cuts, which runs twice." }),
  },
  requires: [
    {
      name: "an-edge",
      at: null,
      doc: "At least one of `low` and `high` is written, and `low` lies below `high`.",
      holds: ({ low, high }) => (low !== null || high !== null) && (low ?? 0) < (high ?? Number.POSITIVE_INFINITY),
      say: ({ low, high }) =>
        low === null && high === null
          ? "`band_pass` takes out nothing"
          : `no frequency lies between ${low} Hz and ${high} Hz`,
      help: () => "write `band_pass(low: 0.67 Hz, high: 40 Hz)`, or one of the two",
    },
  ],
  random: false,
  plan: ({ low, high, order }) => [{ kind: "band", low, high, order }],
});

/** Recordings of any sampling rate brought to that of the model. */

import { rateOf } from "../arrays.js";
import { choice, int, optional, ratio, real } from "../params.js";
import { defineAugment } from "./contract.js";

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
    { kind: "resample", width, rolloff, beta: window === "kaiser" ? (beta ?? usualBeta) : null },
  ],
});

/** Spectrograms of sound: how strong each band of frequencies is at each time. */

import { choice, frequency, int, optional, time } from "../params.js";
import { channels, defineInput } from "./contract.js";

/** No recording has more samples a second. */
const fastest = 768_000;

export const spectrogram = defineInput({
  name: "spectrogram",
  summary: "Spectrograms of one length: the bands of frequencies of a sound, frame by frame.",
  source: "Huang et al., Masked Autoencoders that Listen, NeurIPS 2022, section 3",
  since: "0.2",
  params: {
    frames: int({ min: 1, max: 65_536, doc: "Frames of time." }),
    mels: int({ min: 1, max: 65_536, default: 128, doc: "Bands of frequencies, on the mel scale." }),
    channels: channels({ default: 1, doc: "Channels of the sound: 1 for mono, 2 for stereo." }),
    rate: frequency({ min: 100, max: fastest, default: 16_000, doc: "Samples a second of the sound." }),
    frame: time({ min: 1, max: 10_000, default: 25, doc: "Length of a frame." }),
    hop: time({ min: 0.1, max: 10_000, default: 10, doc: "From the beginning of a frame to that of the next." }),
    window: choice({
      default: "hanning",
      options: {
        hanning: "A raised cosine, 0 at both ends: Audio-MAE, CAV-MAE and AST.",
        hamming: "A raised cosine, 0.08 at both ends.",
        povey: "Hanning to the power of 0.85: Kaldi.",
        rectangular: "None.",
      },
      doc: "How a frame fades in and out.",
    }),
    low: frequency({ min: 0, max: fastest, default: 20, doc: "Where the first band begins." }),
    high: optional(
      frequency({
        min: 1,
        max: fastest,
        doc: "Where the last band ends. If absent, half the rate, the highest there is.",
      }),
    ),
  },
  requires: [
    {
      name: "bands-in-range",
      at: "high",
      doc: "`high` lies above `low`, and neither above half the rate.",
      holds: ({ rate, low, high }) => low < (high ?? rate / 2) && (high ?? 0) <= rate / 2,
      say: ({ rate, low, high }) =>
        low >= rate / 2 || (high ?? 0) > rate / 2
          ? `of ${rate} samples a second no frequency above ${rate / 2} Hz is left, and bands from ${low} Hz${high === null ? "" : ` to ${high} Hz`} are asked for`
          : `bands from ${low} Hz to ${high} Hz hold nothing`,
      help: ({ rate }) => `write a \`low\` below \`high\`, and at most \`high: ${rate / 2} Hz\`; or leave \`high\` out`,
    },
    {
      name: "samples-in-frame",
      at: "frame",
      doc: "A frame has at least two samples, and there is one from a frame to the next.",
      holds: ({ rate, frame, hop }) => rate * frame * 0.001 >= 2 && rate * hop * 0.001 >= 1,
      say: ({ rate, frame, hop }) =>
        `at ${rate} samples a second a frame of ${frame} ms has ${Math.trunc(rate * frame * 0.001)}, and the next begins ${Math.trunc(rate * hop * 0.001)} later`,
      help: () => "write a longer `frame` and `hop`, such as `25 ms` and `10 ms`",
    },
  ],
  shape: ({ frames, mels, channels, rate, frame, hop, window, low, high }) => ({
    axes: [
      { name: "time", size: frames },
      { name: "frequency", size: mels },
    ],
    channels,
    sound: { rate, window, length: frame, shift: hop, low, high },
  }),
});

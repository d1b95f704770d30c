/** Signals of several leads, sampled at the same times: an electrocardiogram, the sensors of a machine. */

import { frequency, int, optional } from "../params.js";
import { channels, defineInput } from "./contract.js";

export const signal = defineInput({
  name: "signal",
  summary: "Signals of one length: leads that are sampled at the same times.",
  source: "own definition",
  since: "0.2",
  params: {
    leads: int({ min: 1, max: 65_536, default: 1, doc: "Leads: signals side by side." }),
    samples: int({ min: 1, max: 2 ** 24, doc: "Values of a lead, one for each time." }),
    channels: channels({
      default: 1,
      doc: "Values of one lead at one time: more than 1 where features such as bands are given.",
    }),
    rate: optional(
      frequency({
        min: 0.001,
        max: 100_000_000,
        doc: "Samples a second of a lead, where files say what they have; if absent, any.",
      }),
    ),
  },
  shape: ({ leads, samples, channels, rate }) => ({
    axes: [
      { name: "lead", size: leads },
      { name: "time", size: samples },
    ],
    channels,
    ...(rate === null ? {} : { rate }),
  }),
});

/** Signals of several leads, sampled at the same times: an electrocardiogram, the sensors of a machine. */

import { int } from "../params.js";
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
  },
  shape: ({ leads, samples, channels }) => ({
    axes: [
      { name: "lead", size: leads },
      { name: "time", size: samples },
    ],
    channels,
  }),
});

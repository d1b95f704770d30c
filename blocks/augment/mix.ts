/** The channels of a recording brought to the number that the model reads. */

import { defineAugment } from "./contract.js";

export const mix = defineAugment({
  name: "mix",
  summary: "Makes as many channels as the model reads: several become their mean, one is repeated.",
  source: "own definition; the mean is that of torchaudio's tutorials and of librosa.to_mono",
  since: "0.2",
  changes: "recordings",
  params: {},
  random: false,
  plan: () => [{ kind: "mix" }],
});

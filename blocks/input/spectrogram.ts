/** Spectrograms of sound: how strong each band of frequencies is at each time. */

import { int } from "../params.js";
import { defineInput } from "./contract.js";

export const spectrogram = defineInput({
  name: "spectrogram",
  summary: "Spectrograms of one length: the bands of frequencies of a sound, frame by frame.",
  source: "Huang et al., Masked Autoencoders that Listen, NeurIPS 2022, section 3",
  since: "0.2",
  params: {
    frames: int({ min: 1, max: 65_536, doc: "Frames of time." }),
    mels: int({ min: 1, max: 65_536, default: 128, doc: "Bands of frequencies, on the mel scale." }),
  },
  shape: ({ frames, mels }) => ({
    axes: [
      { name: "time", size: frames },
      { name: "frequency", size: mels },
    ],
    channels: 1,
  }),
});

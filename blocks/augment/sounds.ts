/** What sounds are made different by in training: turned round in time, louder or softer, with bands hidden, with noise, a little later or earlier. */

import type { Random } from "../../graph/index.js";
import { dirichletShares } from "../mask/dirichlet.js";
import { choice, int, ratio, real } from "../params.js";
import { defineAugment } from "./contract.js";
import { labelsToMix } from "./mixup.js";

export const roll = defineAugment({
  name: "roll",
  summary: "Turns a recording round: it begins at a random time, and what was before follows its end.",
  source: "Huang et al., Masked Autoencoders that Listen, NeurIPS 2022: `roll_mag_aug` of its code",
  since: "0.2",
  changes: "recordings",
  params: {},
  random: true,
  plan: (_p, _current, _context, random) => [{ kind: "round", at: random.uniform() }],
});

export const loudness = defineAugment({
  name: "loudness",
  summary: "Makes a recording louder or softer, by a random factor between a half and one and a half.",
  source: "Huang et al., Masked Autoencoders that Listen, NeurIPS 2022: `roll_mag_aug` of its code",
  since: "0.2",
  changes: "recordings",
  params: {
    alpha: real({
      min: 0.01,
      max: 1000,
      default: 10,
      doc: "Of the beta distribution with both parameters alike of which the factor, less a half, is drawn: large ones keep it near 1.",
    }),
  },
  random: true,
  plan: ({ alpha }, _current, _context, random) => [
    { kind: "gain", by: 0.5 + (dirichletShares(2, alpha, random)[0] as number) },
  ],
});

export const mixSounds = defineAugment({
  name: "mix_sounds",
  summary: "Mixes sounds with other sounds of the data before spectrograms are made of them, and their labels alike.",
  source:
    "Tokozume et al., Learning from Between-class Examples for Deep Sound Recognition, ICLR 2018; drawn as by AST and Audio-MAE: `_wav2fbank` of their code",
  since: "0.2",
  changes: "recordings",
  params: {
    alpha: real({
      min: 0.01,
      max: 1000,
      default: 10,
      doc: "Of the beta distribution with both parameters alike of which a sound's own share is drawn: large ones keep it near a half.",
    }),
    probability: ratio({ default: 0.5, doc: "Share of the sounds that are mixed with another one." }),
  },
  requires: [
    labelsToMix,
    {
      name: "sounds",
      at: null,
      doc: "The model reads spectrograms.",
      holds: (_, { array }) => array.sound !== undefined,
      say: () => "this mixes sounds, and the model reads none",
      help: () => "write `mixup(cutmix: 0)`, which mixes the numbers of any array",
    },
  ],
  random: true,
  plan: () => [],
  ownShare: ({ alpha, probability }, random) =>
    random.uniform() < probability ? (dirichletShares(2, alpha, random)[0] as number) : null,
});

/** A random width up to `most`, at a random place, as torchaudio draws them. */
function drawBand(axis: 0 | 1, size: number, most: number, random: Random) {
  const width = random.uniform() * most;
  const from = Math.max(0, Math.trunc(random.uniform() * (size - width)));
  return { kind: "hide", axis, from, to: Math.min(size, from + Math.trunc(width)) } as const;
}

export const specAugment = defineAugment({
  name: "spec_augment",
  summary: "Puts zeros in place of some random bands of frequencies and some stretches of time.",
  source:
    "Park et al., SpecAugment, Interspeech 2019; drawn as by torchaudio's FrequencyMasking and TimeMasking, as AST and Audio-MAE use them",
  since: "0.2",
  changes: "spectrograms",
  params: {
    time: int({ min: 0, max: 65_536, doc: "Stretches have less than so many frames; 0: none." }),
    frequency: int({ min: 0, max: 65_536, doc: "Bands have less than so many frequencies; 0: none." }),
    count: int({ min: 1, max: 100, default: 1, doc: "Stretches and bands of a sample, each." }),
  },
  requires: [
    {
      name: "within",
      at: null,
      doc: "Stretches and bands are not longer than the spectrogram.",
      holds: ({ time, frequency }, { array: { axes } }) =>
        time <= (axes[0]?.size ?? 0) && frequency <= (axes[1]?.size ?? 0),
      say: ({ time, frequency }, { array: { axes } }) =>
        `${time} frames and ${frequency} frequencies are hidden at most, of ${axes[0]?.size} and ${axes[1]?.size}`,
      help: () => "write fewer: AST hides up to 192 of 1024 frames and 48 of 128 frequencies",
    },
  ],
  random: true,
  plan: ({ time, frequency, count }, _current, { array: { axes } }, random) =>
    Array.from({ length: count }, () => [
      ...(frequency === 0 ? [] : [drawBand(1, axes[1]?.size ?? 0, frequency, random)]),
      ...(time === 0 ? [] : [drawBand(0, axes[0]?.size ?? 0, time, random)]),
    ]).flat(),
});

export const timeShift = defineAugment({
  name: "time_shift",
  summary: "Turns a spectrogram round in time by a few frames.",
  source: "Gong et al., AST: Audio Spectrogram Transformer, Interspeech 2021: noise augmentation of its code",
  since: "0.2",
  changes: "spectrograms",
  params: {
    frames: int({ min: 1, max: 65_536, default: 10, doc: "By up to so many frames earlier, and one less later." }),
  },
  positional: "frames",
  random: true,
  plan: ({ frames }, _current, _context, random) => [{ kind: "later", by: random.integer(2 * frames) - frames }],
});

export const noise = defineAugment({
  name: "noise",
  summary: "Adds random numbers, as loud as a random share of the loudest.",
  source: "Gong et al., AST: Audio Spectrogram Transformer, Interspeech 2021: noise augmentation of its code",
  since: "0.2",
  changes: "channels",
  params: {
    most: real({
      min: 0,
      max: 1e6,
      default: 0.1,
      doc: "The loudest, in the numbers that stand there when it is added.",
    }),
    kind: choice({
      default: "uniform",
      options: {
        uniform: "Numbers between 0 and the loudness, as AST has them.",
        normal: "Normal numbers around 0, whose deviation is the loudness.",
      },
      doc: "Which numbers.",
    }),
  },
  positional: "most",
  random: true,
  plan: ({ most, kind }, _current, _context, random) => [
    { kind: "add", loudness: most * random.uniform(), normal: kind === "normal", seed: random.integer(2 ** 32) },
  ],
});

/** Parameters by which a line says what it reads, by the labels of other lines. */

import { labels, optional } from "./params.js";

/** Of encoders, which can read several. */
export const readFrom = optional(
  labels({
    doc: "What it reads, by label: inputs, or encoders of them, such as `[audio, image]`. If absent, the input of its own label, or all.",
  }),
);

const ofAbsent = "If absent, the one that no other encoder reads.";

/** Of targets. */
export const madeOf = optional(
  labels({ doc: "The input that it is made of, by label, such as `[image]`. If absent, the input of its own label." }),
);

/** Of teachers. */
export const followedFrom = optional(
  labels({
    doc: `The encoder that it follows, or the heads of vectors with all that they read, by label, such as \`[projector]\`. If absent, the encoder that no other reads, and the heads behind it but those that only a student has.`,
  }),
);

/** Of what reads the latent of one encoder. */
export const latentFrom = optional(
  labels({ doc: `The encoder that it reads, by label, such as \`[joint]\`. ${ofAbsent}` }),
);

/** Of heads of vectors, which read an encoder or each other. */
export const vectorsFrom = optional(
  labels({ doc: `The head that it reads, or the encoder, by label, such as \`[projector]\`. ${ofAbsent}` }),
);

/** Of losses of views. */
export const comparedFrom = optional(
  labels({
    doc: "The head whose vectors it compares, or the encoder, by label, such as `[predictor]`. If absent, the one that no other reads.",
  }),
);

/** Of what reads the latent of one encoder, or what that makes of one of its inputs. */
export const featuresFrom = optional(
  labels({
    parts: true,
    doc: `The encoder that it reads, by label, such as \`[joint]\`, or what that makes of one input alone, \`[joint.audio]\`. ${ofAbsent}`,
  }),
);

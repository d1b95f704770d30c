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

/** Of what reads the latent of one encoder. */
export const latentFrom = optional(
  labels({ doc: `The encoder that it reads, by label, such as \`[joint]\`. ${ofAbsent}` }),
);

/** Of what reads the latent of one encoder, or what that makes of one of its inputs. */
export const featuresFrom = optional(
  labels({
    parts: true,
    doc: `The encoder that it reads, by label, such as \`[joint]\`, or what that makes of one input alone, \`[joint.audio]\`. ${ofAbsent}`,
  }),
);

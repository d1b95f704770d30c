/** What is said of latents: what may read the encoder beside them, and which decoders read them; and of several inputs, that they go together. */

import { expect, test } from "vitest";
import { namedParameters } from "../../../blocks/index.js";
import { assemble, programOf } from "../../../compiler/assemble/assemble.js";
import { plan } from "../../../compiler/index.js";
import { analyzed } from "../../support/model.js";

const model = (lines: string, encoder = "encoder vit(depth: 2, width: 16, heads: 2)") =>
  analyzed(`edition 2026

model Held {
  input   image(size: 32x32, channels: 3)
  mask    random(ratio: 50%${encoder.includes("vit") ? ", hidden: token" : ""})
  ${encoder}
  latents learned(count: 3, width: 8)
${lines}
}
`);

const decoded = "decoder vit(depth: 1, width: 12, heads: 2)\ntarget pixels\nloss mse";
const tokens = "tokens patch(size: 8x8)\n";

test.each([
  [
    `${tokens}decoder linear\ntarget pixels\nloss mse`,
    "check/unreadable-source: the decoder `linear` makes its prediction of the patches that the encoder gives, and latents alone go on",
  ],
  [
    `${tokens}${decoded}\nhead classifier(classes: 10)\nloss cross_entropy`,
    "check/unreadable-source: `head` reads the tokens of the encoder, of which latents alone go on",
  ],
  [
    `${tokens}${decoded}\ntarget taught: features(layers: 2) {\n decoder vit(depth: 1, width: 12, heads: 2)\n loss mse\n}\nteacher ema`,
    "check/unreadable-source: `teacher` reads the tokens of the encoder, of which latents alone go on",
  ],
  [
    `${tokens}${decoded}\nadversary patch_discriminator`,
    "check/unreadable-source: `adversary` reads the tokens of the encoder, of which latents alone go on",
  ],
  [
    `${tokens}decoder vit(depth: 1, width: 12, heads: 2, class_token: own)\ntarget pixels\nloss mse`,
    "decoder/vit/token-for-token: the encoder has no class token in whose place one of the decoder's own could stand",
  ],
  [
    `${tokens}${decoded}\nloss uniformity(on: class_token)`,
    "loss/uniformity/class-token: the encoder has no class token",
  ],
])("%s", (lines, message) => {
  const { diagnostics } = model(lines);
  expect(diagnostics.map(({ code, message: said }) => `${code}: ${said}`)).toEqual([message]);
});

test("an encoder of maps gives none", () => {
  const encoder = "encoder convnext(depths: (1, 1), widths: (8, 16), stem: 2)";
  const { diagnostics } = model("decoder convnext_block(width: 16)\ntarget pixels\nloss mse", encoder);
  expect(diagnostics.map(({ code }) => code)).toEqual(["latents/learned/of-tokens"]);
});

test("decoders of several inputs read the latents of all, with or without hidden tokens in the encoder", () => {
  const { models, diagnostics } = analyzed(`edition 2026

model Held {
  input   sound: spectrogram(frames: 16, mels: 16)
  input   image: image(size: 16x16, channels: 3)
  tokens  patch(size: 8x8)
  mask    random(ratio: 50%)
  encoder vit(depth: 1, width: 16, heads: 2)
  latents learned(count: 3, width: 8)
  decoder vit(depth: 1, width: 12, heads: 2)
  target  pixels
  loss    mse(on: hidden)
}
`);
  expect(diagnostics).toEqual([]);
  const [held] = models.values();
  if (!held) throw new Error("no model");
  const program = programOf(assemble(held));
  const shapes = new Map([...namedParameters(program.parameters)].map(([name, { shape }]) => [name, [...shape]]));
  expect(shapes.get("decoder_latent_pos_embed")).toEqual([1, 3, 12]);
  expect(program.latents).toBe(3);
  expect(plan(held, {}).tokens).toEqual({ total: 8, visible: 4, hidden: 4, latents: { count: 3, width: 8 } });
});

/** Non-overlapping patches, each mapped to a token by one linear layer: the patch embedding of ViT. */

import { linear, patchEmbedParameters, patchify } from "../nn/index.js";
import { size } from "../params.js";
import { defineTokens } from "./contract.js";

/** Divisors of `length` nearest to `wanted`, one on each side where there is one. */
function nearestDivisors(length: number, wanted: number): readonly number[] {
  const divisors = Array.from({ length }, (_, i) => i + 1).filter((d) => length % d === 0);
  const below = divisors.filter((d) => d < wanted).at(-1);
  const above = divisors.find((d) => d > wanted);
  return [below, above].filter((d) => d !== undefined);
}

const divisorsInWords = (length: number, wanted: number): string => {
  const near = nearestDivisors(length, wanted);
  return near.length === 1 ? `${near[0]} is` : `${near.join(" and ")} are`;
};

export const patch = defineTokens({
  name: "patch",
  summary: "Cuts the image into equal patches and maps each to a token by one linear layer.",
  source: "Dosovitskiy et al., An Image is Worth 16x16 Words, ICLR 2021, section 3.1",
  since: "0.1",
  params: {
    size: size({ doc: "Height x width of a patch in pixels; must divide the image." }),
  },
  requires: [
    {
      name: "divides-height",
      at: "size",
      doc: "The patch's height divides the image's.",
      holds: (p, { image }) => image.height % p.size[0] === 0,
      say: (p, { image }) => `image height ${image.height} is not divisible by patch height ${p.size[0]}`,
      help: (p, { image }) =>
        `${image.height} is not divisible by ${p.size[0]}: ${divisorsInWords(image.height, p.size[0])}`,
    },
    {
      name: "divides-width",
      at: "size",
      doc: "The patch's width divides the image's.",
      holds: (p, { image }) => image.width % p.size[1] === 0,
      say: (p, { image }) => `image width ${image.width} is not divisible by patch width ${p.size[1]}`,
      help: (p, { image }) =>
        `${image.width} is not divisible by ${p.size[1]}: ${divisorsInWords(image.width, p.size[1])}`,
    },
  ],
  grid: (p, image) => ({ rows: image.height / p.size[0], columns: image.width / p.size[1], patch: p.size }),
  parameters: (p, { image, width }) => ({
    patch_embed: patchEmbedParameters(p.size[0] * p.size[1] * image.channels, width),
  }),
  embed(code, _, w, image, grid) {
    const patches = code.let("patches", patchify, image, grid); // [B, N, h * w * C]
    return code.let("tokens", linear, patches, w.patch_embed.proj);
  },
});

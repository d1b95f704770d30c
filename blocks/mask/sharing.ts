/** Whether all samples of a batch have one mask, as masks that can do both declare it. */

import { choice } from "../params.js";

const share = choice({
  default: "sample",
  options: { sample: "Each sample of a batch has its own.", batch: "All samples of a batch have the same." },
  doc: "Who shares a mask.",
});

/** The parameter. */
export const sharing = { share };

/** What the parameter says. */
export const isShared = (p: { readonly share: "sample" | "batch" }): boolean => p.share === "batch";

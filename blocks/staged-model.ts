/** What encoders of maps are elsewhere, by which libraries know them, and a model of one: an array in, and a decoder or a classifier behind it. */

import type { ArrayShape } from "./arrays.js";

export interface ConvNextFacts {
  readonly family: "ConvNeXt";
  readonly version: number;
  readonly depths: readonly number[];
  readonly widths: readonly number[];
  readonly stem: number;
  /** Where the scales of version 1 start. */
  readonly scale: number;
  readonly norm: boolean;
  /** Added to the variance in the norm that ends it. */
  readonly epsilon: number;
}

export interface SwinFacts {
  readonly family: "Swin";
  readonly depths: readonly number[];
  readonly width: number;
  readonly heads: readonly number[];
  readonly window: number;
  readonly stem: number;
  /** Hidden features of a perceptron, as a multiple of the width. */
  readonly ratio: number;
  readonly norm: boolean;
  /** Added to the variance in every norm. */
  readonly epsilon: number;
}

export interface ResNetFacts {
  readonly family: "ResNet";
  readonly depths: readonly number[];
  /** Features of the stem. */
  readonly width: number;
}

export type StagedFacts = ConvNextFacts | SwinFacts | ResNetFacts;

/** A decoder over maps that others have too: blocks and a layer, as FCMAE has them; a layer alone, as SimMIM has it. */
export type StagedDecoder = { readonly method: "FCMAE"; readonly depth: number } | { readonly method: "SimMIM" };

export interface StagedModel {
  readonly name: string;
  readonly array: ArrayShape;
  readonly stages: StagedFacts;
  /** null: there is none, or no library has it. */
  readonly decoder: StagedDecoder | null;
  /** Of a classifier: classes, and what it reads. */
  readonly head: { readonly classes: number; readonly pool: string } | null;
}

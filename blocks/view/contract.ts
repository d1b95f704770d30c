/**
 * Views: how one sample becomes several while a model is trained. Views of one size that pass the model together are a *stream*, which is fed
 * as rows of one batch, sample by sample. A block only says which streams there are; the augmentations of the recipe make them.
 */

import type { ArrayShape, FrameGap } from "../arrays.js";
import { type Definition, ofKind } from "../block.js";
import { labels, optional, type Params, type ValuesOf } from "../params.js";

/** Views of a sample that pass together. */
export interface Stream {
  /** As masks, teachers and augmentations call them; one of several views is called by its number too, `global_1`. */
  readonly name: string;
  /** Views of a sample. */
  readonly count: number;
  /** Sides of one of them; null: those of the input. */
  readonly size: readonly number[] | null;
}

export interface ViewContext {
  /** What enters the model. */
  readonly array: ArrayShape;
}

export interface Views<P extends Params = Params> extends Definition<P, ViewContext> {
  /** In the order in which they pass. */
  streams(p: ValuesOf<P>): readonly Stream[];
  /** Whether augmentations without a label draw once for all views of a sample, and not for each. */
  shared(p: ValuesOf<P>): boolean;
  /** Present where a sample is a video and its two views are frames of it, in their order: how far apart they are. */
  gap?(p: ValuesOf<P>): FrameGap;
}

export const defineView = <const P extends Params>(view: Views<P>): Views<P> => ofKind("view", view);

/** The names by which augmentations may speak of the views of a stream. */
export const namesOfStream = ({ name, count }: Pick<Stream, "name" | "count">): readonly string[] =>
  count === 1 ? [name] : [name, ...Array.from({ length: count }, (_, i) => viewName(name, count, i))];

/** What one of the views of a stream is called, counted from 0. */
export const viewName = (stream: string, count: number, index: number): string =>
  count === 1 ? stream : `${stream}_${index + 1}`;

/** One view of a stream, as an array. */
export const arrayOfStream = ({ size }: Pick<Stream, "size">, array: ArrayShape): ArrayShape =>
  size === null ? array : { ...array, axes: array.axes.map((axis, i) => ({ ...axis, size: size[i] ?? axis.size })) };

/** The views that a line is about, by the names of their streams. */
export const onViews = (doc: string) => optional(labels({ views: true, doc: `${doc} If absent, all.` }));

/** What training is given and what it tells: plain values, so that any front end can start it and show it. */

import type { Bound, ModelProgram, Probe, SampleIndex, Training } from "../../blocks/index.js";
import type { Graph } from "../../graph/index.js";
import type { Executor } from "../executors/executor.js";
import type { Hosts } from "../hosts/hosts.js";

export type { Bound, Training };

/**
 * A graph of a step. Feeds: those of a micro-batch, `lr` [] and `step` [] (from 1), `keep` [] or `momentum` []. Outputs: the loss,
 * its terms, and the norm when clipped, of the phases that train.
 */
export interface Phase {
  readonly name: string;
  readonly graph: Graph;
  /** Run for each micro-batch; otherwise once, without samples. */
  readonly each?: "micro-batch";
  /** The weights that it changes. */
  readonly changes: readonly string[];
}

/** A recipe whose steps take turns with those of the one that it stands beside, on the same weights. */
export interface BesideTraining {
  /** The recipe's. */
  readonly name: string;
  readonly program: ModelProgram;
  /** Of its data, augmentations, batch and repetitions; all else is said by the recipe that it stands beside. */
  readonly training: Training;
  /** The name that each weight of its program has in the other; a fixed table that the other has not is not among them. */
  readonly weights: Readonly<Record<string, string>>;
  /** The samples of its data, where they are open already. */
  readonly index?: SampleIndex;
}

export interface TrainOptions {
  /** If absent, all steps are those of the recipe itself. */
  readonly beside?: readonly BesideTraining[];
  /** Where log, checkpoints and pictures go. */
  readonly directory: string;
  /** Data paths are relative to it. */
  readonly root: string;
  /** The samples of the recipe's data, where they are open already. */
  readonly index?: SampleIndex;
  readonly executor: Executor;
  /** With which others this process trains one model, each its share of the samples; if absent, alone. They are left at the end. */
  readonly hosts?: Hosts;
  /** Continue from the newest checkpoint in `directory`; an error when there is none. */
  readonly resume: boolean;
  /** What weights of a new run start with, by name; the others start as the model declares. */
  readonly weights?: Readonly<Record<string, Float32Array>>;
  /** The resolved spec, kept in every checkpoint. */
  readonly spec: string;
  /** Threads that decode and augment; 0: in this thread. */
  readonly workers: number;
  readonly checkpointEvery: CheckpointInterval;
  /** Looks at all weights and moments after each step, so that what breaks is found at once, without repeating steps. */
  readonly debugNan?: boolean;
  /** Where the text says the part of the model that a weight belongs to, such as `digits.mae:15: decoder`: for words about it. */
  readonly lineOf?: (weight: string) => string | null;
  /** Aborting ends after what is being computed, a step or a part of one, with a saved checkpoint. */
  readonly signal: AbortSignal;
  readonly report: (event: TrainEvent) => void;
  /** Draws what the weights of a moment make of samples, as often as it says; gives the picture's path. What it throws is told alone. */
  readonly draw?: {
    readonly every: CheckpointInterval;
    readonly picture: (request: Omit<ProbeRequest, "probe">) => Promise<string>;
  };
  /**
   * Judges the weights of a moment, for the recipe's `evaluate` lines; if absent, they are left out, with a note. Where the signal is
   * aborted meanwhile, nothing waits for it any more.
   */
  readonly probe?: (request: ProbeRequest) => Promise<Readonly<Record<string, number>>>;
}

/** What lies between two checkpoints at most; a run without any of them is saved when it ends. */
export interface CheckpointInterval {
  readonly steps?: number;
  readonly epochs?: number;
  readonly seconds?: number;
}

/** What a probe in the middle of training is given. */
export interface ProbeRequest {
  readonly probe: Bound<Probe>;
  /** Steps done. */
  readonly step: number;
  /** Weights by name. */
  readonly weights: Readonly<Record<string, Float32Array>>;
}

export interface TrainResult {
  /** Steps done, over all continuations. */
  readonly step: number;
  /** Loss of the last step; null when none was left to do. */
  readonly loss: number | null;
  /** Ended by the signal: steps or probes may be left to do. */
  readonly interrupted: boolean;
  /** The newest checkpoint. */
  readonly checkpoint: string;
}

export type TrainEvent =
  | {
      readonly kind: "start";
      readonly step: number;
      readonly totalSteps: number;
      readonly stepsPerEpoch: number;
      readonly samples: number;
      readonly parameters: number;
      readonly notes: readonly string[];
    }
  | {
      readonly kind: "step";
      /** Steps done, from 1. */
      readonly step: number;
      readonly epoch: number;
      readonly loss: number;
      readonly terms: Readonly<Record<string, number>>;
      readonly lr: number;
      /** Global norm of the gradients, where it is known. */
      readonly gradientNorm?: number;
      readonly imagesPerSecond: number;
      /** Share of the last interval spent waiting for data, 0..1. */
      readonly waiting: number;
      readonly secondsLeft: number;
      readonly memoryBytes: number;
    }
  | { readonly kind: "checkpoint"; readonly step: number; readonly path: string }
  | {
      readonly kind: "probe";
      readonly step: number;
      readonly name: string;
      readonly scores: Readonly<Record<string, number>>;
    }
  | { readonly kind: "picture"; readonly step: number; readonly path: string }
  | {
      /** Told each second while a step is compiled. */
      readonly kind: "compiling";
      readonly seconds: number;
    }
  | { readonly kind: "note"; readonly text: string }
  | { readonly kind: "end"; readonly step: number; readonly loss: number; readonly interrupted: boolean };

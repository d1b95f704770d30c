/** "Did you mean": the nearest of the valid names, by meaning first, then by spelling. */

import { nearestWord, type Span } from "../../grammar/index.js";
import { replacement, type Words } from "./report.js";

/** Words of other libraries for the slots, settings and parameters of the language; each row means one thing. */
const synonyms: readonly (readonly string[])[] = [
  ["lr", "learning_rate", "base_lr", "blr", "step_size"],
  ["width", "dim", "embed_dim", "hidden_size", "d_model", "features", "units"],
  ["depth", "layers", "num_layers", "blocks", "num_blocks", "n_layer"],
  ["heads", "num_heads", "n_head", "attention_heads"],
  ["ratio", "mask_ratio", "masking_ratio", "p", "rate", "fraction"],
  ["size", "image_size", "img_size", "patch_size", "crop_size", "resolution", "shape"],
  ["channels", "in_chans", "in_channels", "colors"],
  ["mlp_ratio", "expansion", "mlp_width", "hidden"],
  ["weight_decay", "wd", "decay", "l2"],
  ["betas", "beta", "momentums"],
  ["eps", "epsilon"],
  ["warmup", "warm_up", "warmup_epochs", "warmup_steps"],
  ["normalize", "norm", "norm_pix_loss", "normalise"],
  ["weight", "coefficient", "lambda", "factor"],
  ["hidden", "masked", "removed"],
  ["visible", "kept", "unmasked"],
  ["k", "neighbors", "neighbours", "n_neighbors"],
  ["probability", "prob", "p", "chance"],
  ["batch", "batch_size", "samples"],
  ["epochs", "num_epochs", "max_epochs", "epoch"],
  ["steps", "num_steps", "max_steps", "iterations"],
  ["repeat", "repeat_aug", "repeats", "repetitions", "num_repeats"],
  ["seed", "random_seed", "manual_seed"],
  ["clip", "clip_grad", "grad_clip", "gradient_clip", "max_norm"],
  ["freeze_blocks", "freeze_layers", "frozen_stages"],
  ["average", "model_ema", "ema_decay", "polyak"],
  ["precision", "dtype", "amp"],
  ["input", "inputs", "sample"],
  ["tokens", "tokenizer", "patches", "embedding"],
  ["positions", "position", "pos_embed", "position_embedding"],
  ["mask", "masking", "masks"],
  ["encoder", "backbone", "network"],
  ["target", "targets", "label"],
  ["loss", "losses", "criterion", "objective"],
  ["data", "dataset", "datasets", "train_data"],
  ["augment", "augmentation", "augmentations", "transform", "transforms"],
  ["optimizer", "optim", "optimiser"],
  ["schedule", "scheduler", "lr_schedule"],
  ["evaluate", "evaluation", "eval", "probe", "probes", "metrics"],
];

/** Words whose values are written otherwise than those of the name that they lead to: it is named, and not put in their place. */
const otherwise: ReadonlySet<string> = new Set(
  ["norm", "norm_pix_loss", "lambda", "step_size", "warmup_epochs", "warmup_steps"].concat([
    "hidden",
    "amp",
    "l2",
    "decay",
    "rate",
    "fraction",
    "beta",
  ]),
);

/** Whether a name may be put in the place of what was written without a change of meaning. */
export const isSlip = (written: string): boolean => !otherwise.has(written.toLowerCase().replaceAll("-", "_"));

const digitsOf = (name: string): string => name.replaceAll(/\D/g, "");

const bySpelling = (name: string, valid: readonly string[]): string | null => {
  // Another number is another thing: `l2` is no slip of the pen for `l1`.
  const comparable = valid.filter(
    (candidate) =>
      Math.abs(candidate.length - name.length) <= candidate.length / 3 + 1 && digitsOf(candidate) === digitsOf(name),
  );
  if (comparable.length === 0) return null;
  const lower = comparable.map((candidate) => candidate.toLowerCase());
  const near = nearestWord(name, lower);
  return near === null ? null : (comparable[lower.indexOf(near)] ?? null);
};

/** A name is compared with so many others: where there are more, they are machine-made, and so are the slips. */
export const mostCompared = 256;

/** The valid name that was most likely meant; null when none is near. */
export function nearest(name: string, known: readonly string[]): string | null {
  const valid = known.length > mostCompared ? known.slice(0, mostCompared) : known;
  const plain = name.toLowerCase().replaceAll("-", "_");
  const exact = valid.find((candidate) => candidate.toLowerCase() === plain);
  if (exact !== undefined) return exact;
  const row = synonyms.find((words) => words.includes(plain) && words.some((word) => valid.includes(word)));
  const meant = row?.find((word) => valid.includes(word));
  return meant ?? bySpelling(name, valid);
}

/** `a`, `b` and `c`, at most sixteen of them. */
export function named(names: readonly string[], joint = "and"): string {
  const shown = names.slice(0, 16).map((name) => `\`${name}\``);
  if (names.length > 16) return `${shown.join(", ")} ${joint} ${names.length - 16} more`;
  const last = shown.pop() ?? "";
  return shown.length === 0 ? last : `${shown.join(", ")} ${joint} ${last}`;
}

export const capitalized = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

/** Help and fix for a name that is not among the valid ones. `what` is the plural of what they are. */
export function suggestion(name: string, span: Span, valid: readonly string[], what: string): Words {
  const meant = nearest(name, valid);
  const list = valid.length === 0 ? `there are no ${what}` : `the ${what} are ${named(valid)}`;
  const single = valid.length === 1 ? `the only one is \`${valid[0]}\`` : list;
  return meant === null
    ? { help: single }
    : {
        help: `did you mean \`${meant}\`? ${capitalized(single)}`,
        fix: isSlip(name) ? replacement(span, meant) : undefined,
      };
}

/** What guided masks, masks of blocks, teachers, adversaries and imitations are asked about and cannot see, who turns nothing, and which tokens and masks lie under what. */

import { asKind, type Decoder, type Input, type Mask, type Target, type Tokens } from "../../blocks/index.js";
import { givesMaps } from "../wire/roles.js";
import { isCalled, namesAt, ownParts, reached, sourceAt, sourcesAt, type Wiring } from "../wire/wiring.js";
import { type DraftLine, valuesOf } from "./draft.js";
import { blockOf, type DraftPart, type Finding, nameOf, unreadable } from "./wiring-finding.js";

export type DraftWiring = Wiring<DraftLine>;

/** Masks over tokens. */
export const masksOver = (wiring: DraftWiring, tokens: DraftPart): readonly DraftPart[] =>
  (wiring.readers.get(tokens) ?? []).filter(({ slot }) => slot === "mask");

export const isJoint = (mask: DraftPart, wiring: DraftWiring): boolean => sourcesAt(wiring, mask, "set").length > 1;

/** The tokens that an encoder sees, through others too. */
export function tokensUnder(wiring: DraftWiring, encoder: DraftPart): readonly DraftPart[] {
  const isLast = (part: DraftPart): boolean => part.slot === "tokens" || givesMaps(part.definition);
  const under = reached([encoder], (part) => (isLast(part) ? [] : sourcesAt(wiring, part, "tokens")));
  return [...under].filter(isLast);
}

/** The tokens of what a decoder predicts. */
export const predicted = (wiring: DraftWiring, decoder: DraftPart): readonly DraftPart[] =>
  sourcesAt(wiring, decoder, "target").flatMap((target) => sourceAt(wiring, target, "set") ?? []);

/** A decoder of blocks of hidden tokens where the mask has none, or another one where it has some; and a picture of such blocks. */
export function inBlocks(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const byBlocks = (part.definition as Decoder).byBlocks === true;
  const masks = predicted(wiring, part).flatMap((tokens) => masksOver(wiring, tokens));
  const mask = masks.find(({ definition }) => (definition as Mask).blocks !== undefined);
  if (byBlocks !== (mask !== undefined)) {
    const [other] = masks;
    return [
      unreadable(
        part,
        byBlocks
          ? `the decoder ${blockOf(part)} predicts blocks of hidden patches, and ${other ? `the mask ${blockOf(other)} has none` : "there is no mask that has some"}`
          : `the mask ${mask ? blockOf(mask) : ""} has blocks of hidden patches, each predicted by itself, and the decoder ${blockOf(part)} predicts all of them at once`,
        "A block is predicted from what was seen alone: what stands for the patches of another one would tell where it lies.",
        byBlocks
          ? "use the mask `multi_block`, or a decoder such as `vit`"
          : "use the decoder `block_vit`, or another mask",
        byBlocks ? other : mask,
      ),
    ];
  }
  const weighing = mask && wiring.readers.get(part)?.find(({ definition }) => asKind("loss", definition)?.weighsTokens);
  if (weighing) {
    return [
      unreadable(
        weighing,
        `the loss ${blockOf(weighing)} weighs each patch by what lies there, and the mask ${blockOf(mask)} has blocks of patches`,
        "Blocks lie over one another: what is predicted are their patches, block by block, and not those of the input.",
        "use a loss that weighs all patches alike, such as `smooth_l1`",
        mask,
      ),
    ];
  }
  const loss =
    mask && wiring.readers.get(part)?.find(({ slot, line }) => slot === "loss" && asksVisible(valuesOf(line)));
  if (loss) {
    return [
      unreadable(
        loss,
        `the loss ${blockOf(loss)} asks for visible patches, and the mask ${blockOf(mask)} has blocks of hidden ones`,
        "What is predicted are the patches of the blocks alone.",
        "write `on: hidden`",
        mask,
      ),
    ];
  }
  const isPicture = ({ definition }: DraftPart): boolean =>
    (definition as Target).picture !== undefined || (definition as Target).pixels !== undefined;
  const picture = mask && sourcesAt(wiring, part, "target").find(isPicture);
  if (!picture) return [];
  return [
    unreadable(
      picture,
      `the target ${blockOf(picture)} leads back to a picture, and the mask ${blockOf(mask)} has blocks of patches, not all of one`,
      "Blocks lie over one another and leave places between them.",
      "predict what is no picture, such as `features`",
      mask,
    ),
  ];
}

/** Whether a loss counts patches that no mask hides. */
const asksVisible = ({ on }: Readonly<Record<string, unknown>>): boolean => on === "visible" || on === "all";

/** A mask that a teacher decides, of a model without one that follows its encoder. */
export function unguided(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const { guide } = part.definition as Mask;
  if (guide?.by?.(valuesOf(part.line)) !== "teacher") return [];
  const encoder = sourceAt(wiring, part, "attention");
  const teacher = ownParts(wiring, "teacher").find((other) =>
    sourcesAt(wiring, other, "student").includes(encoder as DraftPart),
  );
  if (teacher) return [];
  return [
    unreadable(
      part,
      `a teacher decides what the mask ${blockOf(part)} hides, and the model has none that follows its encoder`,
      "The slow copy of the encoder looks at the whole image.",
      "add a `teacher` with a target that is made of what it gives, or write `by: encoder`",
    ),
  ];
}

/** Tokens that the encoder at a port does not see. */
export function unseenBy(
  part: DraftPart,
  port: string,
  tokens: readonly DraftPart[],
  wiring: DraftWiring,
): readonly Finding[] {
  const encoder = sourceAt(wiring, part, port);
  if (!encoder) return [];
  const seen = tokensUnder(wiring, encoder);
  const unseen = tokens.find((one) => !seen.includes(one));
  if (!unseen) return [];
  return [
    unreadable(
      part,
      `\`${nameOf(part)}\` is about \`${unseen.input}\`, which \`${nameOf(encoder)}\` does not see`,
      "What an encoder has not seen it says nothing of.",
      "name an encoder that reads this input",
      encoder,
    ),
  ];
}

/** A target of features of an input that the teacher does not see, or of which its layers say nothing. */
export function untaught(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const teacher = sourceAt(wiring, part, "teacher");
  const tokens = sourceAt(wiring, part, "set");
  if (!teacher || !tokens) return [];
  const student = sourcesAt(wiring, teacher, "student").find(
    ({ slot, definition }) => slot === "encoder" && asKind("encoder", definition)?.outputs === undefined,
  );
  if (student) {
    const message = `\`${nameOf(part)}\` is made of what layers of the teacher ${blockOf(teacher)} give, and those of ${blockOf(student)} cannot be read one by one`;
    const help = "use an encoder such as `vit`, or a target that is made of the input";
    return [unreadable(part, message, "The teacher is a slow copy of the encoder.", help, student)];
  }
  return unseenBy(teacher, "student", [tokens], wiring).map((finding) => ({ ...finding, part }));
}

/** A target of what a network makes that sees the whole sample in the encoder's place, where none could. */
export function ungiven(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  if (!asKind("target", part.definition)?.network) return [];
  const tokens = sourceAt(wiring, part, "set");
  const turned = ownParts(wiring, "positions").find(({ definition }) => asKind("positions", definition)?.turned);
  const several = (slot: string): DraftPart | undefined => ownParts(wiring, slot)[1];
  const wrong: readonly (readonly [DraftPart | undefined, string, string])[] = [
    [several("input") ?? several("encoder"), "the model has several", "use it in a model of one input and one encoder"],
    [
      tokens?.slot === "tokens" ? undefined : (tokens ?? undefined),
      "no line makes tokens of it",
      "use an encoder of tokens, such as `vit`",
    ],
    [ownParts(wiring, "views")[0], "of a sample views are seen", "remove `views`"],
    [turned, "positions turn its queries and keys", "use other positions"],
  ];
  return wrong
    .flatMap(([other, what, help]) => {
      if (!other) return [];
      const message = `the target ${blockOf(part)} is made of what a network sees of the whole sample, and ${what}`;
      return [unreadable(part, message, "The network was trained on whole samples of one input.", help, other)];
    })
    .slice(0, 1);
}

/** A decoder that begins inside the model's own, or a target of what that predicts, where it does not predict that one input alone. */
export function besideDecoder(part: DraftPart, port: string, wiring: DraftWiring): readonly Finding[] {
  const decoder = sourceAt(wiring, part, port);
  if (!decoder) return [];
  const [own, another] = sourcesAt(wiring, decoder, "target");
  const target = part.slot === "target" ? part : sourceAt(wiring, part, "target");
  const reason = "It says the same of the same patches: both have as many, in one order.";
  if (own === part) {
    const help = "give it a decoder of its own, in braces, such as `branch`, and a loss";
    return [unreadable(part, `\`${nameOf(part)}\` is made of what its own decoder predicts`, reason, help, decoder)];
  }
  if (another) {
    const help = "give all but one of its targets a decoder of their own, in braces";
    return [
      unreadable(part, `the model's decoder ${blockOf(decoder)} predicts several targets`, reason, help, another),
    ];
  }
  if (asKind("decoder", decoder.definition)?.byBlocks) {
    const help =
      "remove the target, or use a mask that is no mask of blocks, such as `random`, and a decoder such as `vit`";
    const message = `\`${nameOf(part)}\` is made of what the model's decoder ${blockOf(decoder)} predicts, block by block`;
    return [
      unreadable(
        part,
        message,
        "Blocks lie over one another: patches have several predictions, or none.",
        help,
        decoder,
      ),
    ];
  }
  if (!own || !target || sourceAt(wiring, own, "set") === sourceAt(wiring, target, "set")) return [];
  const message = `\`${nameOf(part)}\` is of another input than the model's decoder ${blockOf(decoder)} predicts`;
  return [unreadable(part, message, reason, "name the input of that with `of` in the target", own)];
}

/** Predictions that an adversary cannot judge: of inputs that its encoder does not see, or of which nothing is hidden. */
export function unjudged(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const names = namesAt(wiring, part, "prediction");
  const tokens = sourcesAt(wiring, part, "prediction")
    .flatMap((decoder) => sourcesAt(wiring, decoder, "target"))
    .filter((target) => names === null || isCalled(target, names))
    .flatMap((target) => sourceAt(wiring, target, "set") ?? []);
  const unseen = unseenBy(part, "backbone", tokens, wiring);
  if (unseen.length > 0) return unseen;
  const wrong = tokens.find((one) => {
    const [mask] = masksOver(wiring, one);
    return !mask || isJoint(mask, wiring);
  });
  if (!wrong) return [];
  return [
    unreadable(
      part,
      `the adversary ${blockOf(part)} tells what was hidden of \`${wrong.input}\` from what was visible, and no mask of its own hides any`,
      "It learns from as many originals and predictions of each sample.",
      "use a mask of this input alone, such as `random`, or remove the adversary",
    ),
  ];
}

/** Positions by which queries and keys are turned, beside what turns none, or has heads of too few features. */
export function unturned(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const tokens = sourceAt(wiring, part, "set");
  const input = tokens && sourceAt(wiring, tokens, "array");
  if (!asKind("positions", part.definition)?.turned || !tokens || !input) return [];
  const found = (other: DraftPart, what: string, help: string): readonly Finding[] => {
    const message = `${blockOf(part)} turns queries and keys, and ${what}`;
    return [unreadable(part, message, "Nothing else says where tokens stand.", help, other)];
  };
  const several = ownParts(wiring, "encoder")[1];
  if (several) return found(several, "the model has several encoders", "use it in a model of one encoder");
  const array = (input.definition as Input).shape(valuesOf(input.line));
  const axes = (tokens.definition as Tokens).grid(valuesOf(tokens.line), array).length;
  return (wiring.readers.get(part) ?? []).flatMap((reader) => {
    const own = asKind("encoder", reader.definition) ?? asKind("decoder", reader.definition);
    const width = reader.slot === "encoder" && reader.within ? null : own?.headWidth?.(valuesOf(reader.line));
    const name = `\`${nameOf(reader)}\``;
    if (width == null) return found(reader, `${name} turns none`, "use `vit` there, or other positions");
    if (width === 0 || width >= 2 * axes) return [];
    const what = `heads of ${name} have ${width} features: ${axes} axes turn two each`;
    return found(reader, what, "use fewer heads, or a larger width");
  });
}

/**
 * What is said of parts that do not go together though each of them has what it reads: encoders of several widths, masks that lie over one
 * another, decoders and losses of what is not there.
 */

import { asKind, type Decoder, type Encoder, type Head, type Mask } from "../../blocks/index.js";
import { givesMaps } from "../wire/roles.js";
import { inputsUnder, ownParts, sourceAt, sourcesAt } from "../wire/wiring.js";
import { valuesOf } from "./draft.js";
import { hidingOf, ofEveryToken, readsOf } from "./hidden.js";
import {
  besideDecoder,
  type DraftWiring,
  inBlocks,
  isJoint,
  masksOver,
  predicted,
  tokensUnder,
  ungiven,
  unguided,
  unjudged,
  unseenBy,
  untaught,
  unturned,
} from "./unseen.js";
import { blockOf, type DraftPart, type Finding, nameOf, unreadable } from "./wiring-finding.js";

/** Reports parts that do not go together, of a model whose wires lead somewhere. */
export function badlyJoined(wiring: DraftWiring): readonly Finding[] {
  const encoders = ownParts(wiring, "encoder");
  const first = [
    ...mapsBeside(wiring),
    ...encoders.flatMap((part) => ofTwoWays(part, wiring)),
    ...widths(wiring),
    ...overOneAnother(wiring),
  ];
  if (first.length > 0) return first;
  return wiring.parts.flatMap((part) => {
    switch (part.slot) {
      case "decoder":
        return [
          ...inBlocks(part, wiring),
          ...textBehind(part, wiring),
          ...otherLatent(part, wiring),
          ...unseenTargets(part, wiring),
          ...ofLatents(part, wiring),
          ...besideDecoder(part, "behind", wiring),
        ];
      case "latents":
        return besideLatents(part, wiring);
      case "encoder":
        return part.within ? ofUnmasked(part, wiring) : [...ofJointMask(part, wiring), ...ofEveryToken(part, wiring)];
      case "loss":
        return [...unevenLoss(part, wiring), ...unseenLayers(part, wiring)];
      case "positions":
        return unturned(part, wiring);
      case "mask":
        return [...unseenBy(part, "attention", sourcesAt(wiring, part, "set"), wiring), ...unguided(part, wiring)];
      case "target":
        return [...untaught(part, wiring), ...ungiven(part, wiring), ...besideDecoder(part, "prediction", wiring)];
      case "tokens":
        return besideOverlapping(part, wiring);
      case "adversary":
        return unjudged(part, wiring);
      default:
        return [];
    }
  });
}

/** An encoder that reads the tokens of an input twice. */
function ofTwoWays(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const seen = sourcesAt(wiring, part, "tokens").flatMap((source) => source.input ?? [...inputsUnder(wiring, source)]);
  const twice = seen.find((input, i) => seen.indexOf(input) < i);
  if (twice === undefined) return [];
  return [
    unreadable(
      part,
      `\`${nameOf(part)}\` reads the tokens of \`${twice}\` in two ways`,
      "Tokens stand once in a sequence: what comes after could not tell one from the other.",
      "name encoders that have no input in common",
    ),
  ];
}

/** An encoder of maps where tokens of several inputs or of a target are asked for. */
function mapsBeside(wiring: DraftWiring): readonly Finding[] {
  const maps = wiring.parts.filter(({ definition }) => givesMaps(definition));
  const isAlone = ownParts(wiring, "input").length === 1;
  return maps
    .filter(({ within }) => within !== null || !isAlone)
    .map((part) =>
      unreadable(
        part,
        `\`${nameOf(part)}\` gives maps of an array, and ${part.within ? "a target is encoded token by token" : "the model reads several arrays"}`,
        "Maps have places of one array alone: what stands one after the other in a sequence are tokens.",
        "use an encoder of tokens, such as `vit`",
      ),
    );
}

/** A decoder that attends to tokens of a text and does not know where it ends. */
function textBehind(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const encoder = sourceAt(wiring, part, "latent");
  if (!encoder || encoder.slot === "latents" || (part.definition as Decoder).padding) return [];
  const text = tokensUnder(wiring, encoder).find((tokens) => asKind("tokens", tokens.definition)?.numbers === "ids");
  if (!text) return [];
  return [
    unreadable(
      part,
      `the decoder ${blockOf(part)} attends to tokens of a text${text.input === null ? "" : `, \`${text.input}\``}, and does not know where it ends`,
      "A text has an end, and what reads on behind it learns from tokens that are not there.",
      "use a decoder that knows, such as `vit` or `vocabulary`",
      text,
    ),
  ];
}

const widthOf = ({ definition, line }: DraftPart): number => (definition as Encoder).width(valuesOf(line));

/** Encoders of another width than the one that they read, or than another one that reads the same tokens. */
function widths(wiring: DraftWiring): readonly Finding[] {
  const encoders = ownParts(wiring, "encoder");
  return encoders.flatMap((part, i): readonly Finding[] => {
    const own = widthOf(part);
    const read = sourcesAt(wiring, part, "tokens");
    const below = read.find((source) => source.slot === "encoder" && widthOf(source) !== own);
    if (below) {
      return [
        unreadable(
          part,
          `\`${nameOf(part)}\` has the width ${own}, and \`${nameOf(below)}\`, which it reads, ${widthOf(below)}`,
          "An encoder goes on with the numbers that another one gives for each token.",
          "give both the same `width`",
          below,
        ),
      ];
    }
    const readsSame = (other: DraftPart): boolean =>
      sourcesAt(wiring, other, "tokens").some((source) => source.slot === "tokens" && read.includes(source));
    const beside = encoders.slice(0, i).find((other) => readsSame(other) && widthOf(other) !== own);
    if (!beside) return [];
    return [
      unreadable(
        part,
        `\`${nameOf(part)}\` has the width ${own}, and \`${nameOf(beside)}\`, which reads the same tokens, ${widthOf(beside)}`,
        "Tokens are made once, as wide as the encoders that read them.",
        "give both the same `width`, or let one of them read another input",
        beside,
      ),
    ];
  });
}

function overOneAnother(wiring: DraftWiring): readonly Finding[] {
  return ownParts(wiring, "tokens").flatMap((tokens): readonly Finding[] => {
    const [first, second] = masksOver(wiring, tokens);
    if (!first || !second) return [];
    return [
      unreadable(
        second,
        `\`${nameOf(first)}\` and \`${nameOf(second)}\` both lie over the tokens${tokens.input === null ? "" : ` of \`${tokens.input}\``}`,
        "A token is hidden or visible: two masks could say both of it.",
        "keep one of them, or use masks of one input each",
        first,
      ),
    ];
  });
}

/** Patches that lie over one another, where something is made of every place of the array: by which patch would be left open. */
function besideOverlapping(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  if (!asKind("tokens", part.definition)?.overlaps?.(valuesOf(part.line))) return [];
  const isOfPlaces = ({ slot, definition }: DraftPart): boolean =>
    slot === "target" ||
    (slot === "mask" && (definition as Mask).field !== undefined) ||
    (slot === "head" && (definition as Head).layers !== undefined);
  const seesThem = (other: DraftPart): boolean =>
    other.slot === "head"
      ? sourcesAt(wiring, other, "latent").some((encoder) => tokensUnder(wiring, encoder).includes(part))
      : sourcesAt(wiring, other, "set").includes(part);
  const found = wiring.parts.filter((other) => isOfPlaces(other) && seesThem(other));
  return found.map((other) =>
    unreadable(
      other,
      `\`${nameOf(other)}\` is about every place of the input, and patches lie over one another`,
      "A place that several patches have has no patch of its own.",
      "let the patches lie side by side, without `stride`, or read tokens as a whole, as a `classifier` does",
      part,
    ),
  );
}

/** Where a mask lies over several inputs, how many tokens of one are visible differs from sample to sample. */
function ofJointMask(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const read = sourcesAt(wiring, part, "tokens").filter(({ slot }) => slot === "tokens");
  const joint = read.flatMap((tokens) => masksOver(wiring, tokens)).find((mask) => isJoint(mask, wiring));
  if (!joint) return [];
  const under = sourcesAt(wiring, joint, "set");
  if (under.length === read.length && under.every((tokens) => read.includes(tokens))) return [];
  return [
    unreadable(
      part,
      `\`${nameOf(part)}\` reads some of the inputs over which the mask ${blockOf(joint)} lies`,
      "The mask shows a number of tokens of all of them together: of some alone it differs from sample to sample.",
      "let one encoder read them all, or use a mask that is drawn for each input, such as `random`",
      joint,
    ),
  ];
}

/** The encoder whose latent a decoder reads, through latents too. */
function encoderUnder(wiring: DraftWiring, decoder: DraftPart): DraftPart | null {
  const latent = sourceAt(wiring, decoder, "latent");
  return latent?.slot === "latents" ? sourceAt(wiring, latent, "latent") : latent;
}

/** A decoder that has a token for each patch from the encoder, where latents alone go on. */
function ofLatents(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const latents = sourceAt(wiring, part, "latent");
  if (latents?.slot !== "latents") return [];
  const reads = readsOf(part);
  if (reads !== "every" && reads !== "maps" && !(part.definition as Decoder).readsEncoded) return [];
  return [
    unreadable(
      part,
      `the decoder ${blockOf(part)} makes its prediction of the patches that the encoder gives, and latents alone go on`,
      "Of latents none is of a patch: a decoder of them has tokens of its own, which ask them.",
      "use such a decoder, `vit` or `queries`, or remove `latents`",
      latents,
    ),
  ];
}

/** What reads the tokens of an encoder of which latents alone go on. */
function besideLatents(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const encoder = sourceAt(wiring, part, "latent");
  const others = encoder ? (wiring.readers.get(encoder) ?? []).filter((other) => other !== part) : [];
  const placed = encoder ? sourcesAt(wiring, encoder, "positions") : [];
  const inSpace = placed.find(({ definition }) => asKind("positions", definition)?.computed);
  const [why, help] = ["Positions are made of where tokens are.", "use another encoder, or remove `latents`"];
  if (inSpace) return [unreadable(part, "latents have no place in space, as tokens have", why, help, inSpace)];
  return others.map((other) =>
    unreadable(
      other,
      `\`${nameOf(other)}\` reads the tokens of the encoder, of which latents alone go on`,
      "What an encoder makes of patches is lost behind latents: nothing else is trained by it, or judged.",
      other.slot === "latents" ? "keep one of them" : `remove the ${other.slot}, or \`latents\``,
      part,
    ),
  );
}

/** A decoder of visible tokens where hidden ones pass through the encoder, or of every token where they do not. */
function otherLatent(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const reads = readsOf(part);
  const encoder = sourceAt(wiring, part, "latent");
  if (encoder?.slot === "latents") return [];
  if (reads === "either" || reads === "maps" || !encoder) return [];
  const seen = tokensUnder(wiring, encoder);
  const whole = (tokens: DraftPart): boolean => hidingOf(wiring, tokens) !== "drop";
  const isEntered = (tokens: DraftPart): boolean => hidingOf(wiring, tokens) !== null && whole(tokens);
  const wrong =
    reads === "every"
      ? predicted(wiring, part).find((tokens) => seen.includes(tokens) && !whole(tokens))
      : seen.find(isEntered);
  if (!wrong) return [];
  const [mask] = masksOver(wiring, wrong);
  return [
    unreadable(
      part,
      reads === "every"
        ? `the decoder ${blockOf(part)} reads what the encoder gives for every token, and hidden ones do not pass through it`
        : `the decoder ${blockOf(part)} reads what the encoder gives for visible tokens, and hidden ones pass through it too`,
      "One pass of the encoder serves all decoders.",
      reads === "every"
        ? "write `hidden: token` in the mask, or use a decoder of visible tokens"
        : "use a decoder that reads every token, such as `linear`, or write `hidden: drop` in the mask",
      mask,
    ),
  ];
}

/** A decoder that makes its prediction of tokens that its encoder does not see. */
function unseenTargets(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const encoder = encoderUnder(wiring, part);
  const targets = predicted(wiring, part);
  if (!encoder) return [];
  const seen = tokensUnder(wiring, encoder);
  const unseen = targets.find((tokens) => !seen.includes(tokens));
  const makesTokens = readsOf(part) !== "every" && targets.length === 1 && !sourceAt(wiring, part, "encoded");
  if (!unseen || makesTokens) return [];
  return [
    unreadable(
      part,
      `the decoder ${blockOf(part)} predicts \`${unseen.input}\`, which \`${nameOf(encoder)}\` does not see`,
      "It makes a prediction for each token that the encoder gives.",
      "let it read an encoder that sees the input, or use a decoder of one target that has tokens of its own, such as `vit` or `queries`",
      encoder,
    ),
  ];
}

/** An encoder of a target that is shown what the mask leaves, where nothing is hidden or it differs from sample to sample. */
function ofUnmasked(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const target = sourceAt(wiring, part, "target");
  const tokens = target && sourceAt(wiring, target, "set");
  const [mask] = tokens ? masksOver(wiring, tokens) : [];
  if (!tokens || (mask && !isJoint(mask, wiring))) return [];
  return [
    unreadable(
      part,
      mask
        ? `the encoder of \`${target ? nameOf(target) : ""}\` sees what the mask ${blockOf(mask)} shows of it, and that differs from sample to sample`
        : `the encoder of \`${target ? nameOf(target) : ""}\` sees what a mask shows of it, and there is none`,
      "A target is encoded as far as the model sees it, so that its decoder has something to complete.",
      "use a mask of its input alone, such as `random`",
      mask,
    ),
  ];
}

/** A loss of as many tokens of each sample, under a mask that hides more of one than of another. */
function unevenLoss(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  const loss = asKind("loss", part.definition);
  if (!loss || loss.uneven || loss.compares === "features" || loss.compares === "classes") return [];
  const tokens = sourcesAt(wiring, part, "prediction").flatMap((decoder) => predicted(wiring, decoder));
  const isUneven = (mask: DraftPart): boolean => isJoint(mask, wiring) || (mask.definition as Mask).corrupts === true;
  const joint = tokens.flatMap((one) => masksOver(wiring, one)).find(isUneven);
  if (!joint) return [];
  return [
    unreadable(
      part,
      `the loss ${blockOf(part)} judges as many tokens of each sample, and the mask ${blockOf(joint)} chooses more of one than of another`,
      "Such a loss says `uneven`, and takes the mean over those tokens of each sample that `flags` name.",
      "use `mse`, `l1` or another loss that does, or a mask that is drawn for each input",
      joint,
    ),
  ];
}

/** A loss that compares layers with those of a network that is shown the same tokens, where none could be. */
function unseenLayers(part: DraftPart, wiring: DraftWiring): readonly Finding[] {
  if (!asKind("loss", part.definition)?.readsLayers) return [];
  const [encoder] = sourcesAt(wiring, part, "prediction").flatMap((decoder) => encoderUnder(wiring, decoder) ?? []);
  const [tokens] = encoder ? tokensUnder(wiring, encoder) : [];
  if (!encoder || !tokens) return [];
  const several = (slot: string): DraftPart | undefined => ownParts(wiring, slot)[1];
  const entered = (hidingOf(wiring, tokens) ?? "drop") === "drop" ? undefined : masksOver(wiring, tokens)[0];
  const isUnread = (encoder.definition as Encoder).outputs === undefined;
  const isText = asKind("tokens", tokens.definition)?.numbers === "ids";
  const wrong: readonly (readonly [DraftPart | undefined, string, string])[] = [
    [isUnread ? encoder : undefined, "this encoder's layers cannot be read", "use an encoder such as `vit`"],
    [several("input") ?? several("encoder"), "the model has several", "use it in a model of one input and one encoder"],
    [ownParts(wiring, "latents")[0], "of the encoder latents alone go on", "remove one of them"],
    [isText ? tokens : undefined, "behind the end of a text others stand", "use it in a model of another input"],
    [
      entered,
      "hidden ones enter the encoder as something else",
      "write `hidden: drop`, or use a decoder such as `vit`",
    ],
  ];
  return wrong
    .flatMap(([other, what, help]) => {
      if (!other) return [];
      const message = `the loss ${blockOf(part)} compares what two networks make of the same tokens, and ${what}`;
      return [unreadable(part, message, "The network was trained on visible tokens of one input.", help, other)];
    })
    .slice(0, 1);
}

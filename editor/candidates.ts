/** From a place in a text to everything that may stand there. What the lines of each kind of body may be is said in their files. */

import { edition } from "../compiler/index.js";
import type { Source, Span } from "../grammar/index.js";
import { inBody } from "./bodies.js";
import { type Candidate, declarationCandidate, none } from "./candidate.js";
import { keywords } from "./keywords.js";
import { type Entry, isWord } from "./nest.js";
import { type Place, placeAt, type Step } from "./place.js";
import { declaredIn, namesOf, type Scene, type Surroundings } from "./scene.js";
import { inPipeline, inVariants } from "./studies.js";

/** What may stand at a place. */
export function candidatesAt(place: Place, around: Surroundings): readonly Candidate[] {
  const scene: Scene = {
    ...around,
    get file() {
      return place.file;
    },
  };
  const [head, ...inner] = place.steps as [Step, ...Step[]];
  if (inner.length === 0) return atTop(head, place, scene);
  const [first] = head.entry;
  if (isWord(first, "import")) return inImport(head.entry, inner[0] as Step, scene);
  if (isWord(first, "model") || isWord(first, "recipe")) return inBody(head.before, inner, place, scene);
  if (isWord(first, "variants")) return inVariants(head.before, inner, place, scene);
  return isWord(first, "pipeline") ? inPipeline(inner, place, scene) : none;
}

/** What the word at an offset is; null where it is a name of something new, or nothing that is known. */
export function candidateAt(
  source: Source,
  offset: number,
  around: Surroundings,
): { readonly candidate: Candidate; readonly span: Span } | null {
  const place = placeAt(source, offset);
  if (!place) return null;
  const { span, file } = place;
  const word = source.text.slice(span.start, span.end);
  const declaration = file.declarations.find(({ name }) => name?.span.start === span.start);
  if (word !== "" && declaration) return { candidate: declarationCandidate(word, declaration), span };
  const candidate = candidatesAt(place, around).find(({ name }) => name === word);
  return candidate ? { candidate, span } : null;
}

/** Outside of all braces: what begins a line of the file, and the heads of declarations. */
function atTop({ before }: Step, place: Place, scene: Scene): readonly Candidate[] {
  const [first] = before;
  if (!first) {
    const top = keywords("import", "model", "recipe", "variants", "pipeline");
    const { edition: known } = place.file;
    const isWritten = known !== null && known.span.start !== place.span.start;
    return isWritten ? top : [...keywords("edition"), ...top];
  }
  if (!isWord(first)) return none;
  switch (first.text) {
    case "edition":
      return before.length === 1 ? [{ kind: "option", name: String(edition), summary: "The newest edition." }] : none;
    case "import":
      return before.length === 2 ? keywords("from") : none;
    case "model":
      return inHead(before, { extends: "model" }, scene);
    case "recipe":
      return inHead(before, { extends: "recipe", for: "model" }, scene);
    case "variants":
      return inHead(before, { of: "model" }, scene);
    default:
      return none;
  }
}

/** In the braces of an import: what its file declares and is not taken yet. */
function inImport(line: Entry, step: Step, scene: Scene): readonly Candidate[] {
  if (step.before.length === 1) return keywords("as");
  const path = line.find((node) => node.kind === "text");
  if (step.before.length > 0 || path?.kind !== "text") return none;
  const taken = step.group.entries.filter((entry) => entry !== step.entry).map(([name]) => name);
  const declared = declaredIn(path.text.replace(/^"|"$/g, ""), scene);
  return declared.filter(({ name }) => !taken.some((node) => isWord(node, name)));
}

type Joint = "extends" | "for" | "of";

/** `recipe Name extends Base for Model`: the joining words that are left, and what stands after each. */
function inHead(
  before: Entry,
  joints: Partial<Readonly<Record<Joint, "model" | "recipe">>>,
  scene: Scene,
): readonly Candidate[] {
  if (before.length < 2) return none;
  const known = Object.keys(joints) as Joint[];
  const last = known.find((joint) => isWord(before.at(-1), joint));
  const [, own] = before;
  if (last) {
    const kind = joints[last] as "model" | "recipe";
    return namesOf(kind, scene).filter(({ name }) => last !== "extends" || !isWord(own, name));
  }
  const used = known.findLastIndex((joint) => before.some((node) => isWord(node, joint)));
  return keywords(...known.slice(used + 1));
}

/** What is wrong with a definition that TypeScript may never have seen: every member that is missing or of another kind. */

import { hasFittingDefault, isParamKind, type Kind, kindOf, type Member, members } from "../../blocks/index.js";

const snakeCase = /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/;
const kebabCase = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

type Fields = Readonly<Record<string, unknown>>;

const isRecord = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isFilled = (value: unknown): boolean => typeof value === "string" && value.trim() !== "";

/** Whether an export is meant to be a block, though nothing says of which kind. */
export const looksLikeDefinition = (value: unknown): boolean =>
  isRecord(value) && kindOf(value) === undefined && "params" in value && ("name" in value || "summary" in value);

/** Everything that is wrong with a definition of a kind, a sentence each without a full stop. */
export function mistakesIn(kind: Kind, definition: object): readonly string[] {
  const fields = definition as Fields;
  const { name, summary, source, since, params, positional, requires, isDefault } = fields;
  const own = isRecord(params) ? params : {};
  return [
    ...unless(typeof name === "string" && snakeCase.test(name), "`name` is a word in lower case, joined by `_`"),
    ...unless(isFilled(summary), "`summary` is a sentence"),
    ...unless(isFilled(source), "`source` is a paper, a standard or `own definition`"),
    ...unless(isFilled(since), "`since` is the version that first had it, a text"),
    ...unless(isRecord(params), "`params` is a record of parameters, `{}` where there are none"),
    ...Object.entries(own).flatMap(([name, param]) => mistakesInParam(name, param)),
    ...unless(
      positional === undefined || (typeof positional === "string" && positional in own),
      "`positional` names one of its parameters",
    ),
    ...unless(
      isDefault === undefined,
      "`isDefault` is for blocks of maelang: a slot that is left empty means the same everywhere",
    ),
    ...mistakesInRequirements(requires, own),
    ...Object.entries(members[kind]).flatMap(([member, sort]) => mistakesInMember(member, fields[member], sort)),
  ];
}

const unless = (holds: boolean, sentence: string): readonly string[] => (holds ? [] : [sentence]);

function mistakesInParam(name: string, param: unknown): readonly string[] {
  const named = unless(snakeCase.test(name), `the parameter \`${name}\` is a word in lower case, joined by \`_\``);
  if (!isRecord(param) || !isRecord(param.type) || !isParamKind(param.type.kind)) {
    return [
      ...named,
      `the parameter \`${name}\` is made by \`int\`, \`real\`, \`ratio\`, \`choice\` or another of their kind`,
    ];
  }
  const of = (param.type as Fields).of;
  return [
    ...named,
    ...unless(
      param.type.kind !== "block" || (typeof of === "string" && Object.hasOwn(members, of)),
      `the parameter \`${name}\` takes blocks of a kind that there is, such as \`regions\``,
    ),
    ...unless(isFilled(param.doc), `\`doc\` of the parameter \`${name}\` is a sentence`),
    ...unless(
      hasFittingDefault(param as unknown as Parameters<typeof hasFittingDefault>[0]),
      `the default of the parameter \`${name}\` is one that a spec could write`,
    ),
  ];
}

function mistakesInRequirements(requires: unknown, params: Fields): readonly string[] {
  if (requires === undefined) return [];
  if (!Array.isArray(requires)) return ["`requires` is a list of conditions"];
  return requires.flatMap((condition: unknown) => {
    if (!isRecord(condition)) return ["a condition is a record"];
    const { name, at, doc, holds, say, help } = condition;
    const what = typeof name === "string" ? `the condition \`${name}\`` : "a condition";
    return [
      ...unless(
        typeof name === "string" && kebabCase.test(name),
        `\`name\` of ${what} is in lower case, joined by \`-\``,
      ),
      ...unless(
        at === null || (typeof at === "string" && at in params),
        `\`at\` of ${what} is one of the parameters, or null`,
      ),
      ...unless(isFilled(doc), `\`doc\` of ${what} is a sentence`),
      ...unless(typeof holds === "function", `\`holds\` of ${what} is a function`),
      ...unless(typeof say === "function", `\`say\` of ${what} is a function`),
      ...unless(help === undefined || typeof help === "function", `\`help\` of ${what} is a function`),
    ];
  });
}

const sorts: Readonly<Record<Member, readonly [(value: unknown) => boolean, string]>> = {
  function: [(value) => typeof value === "function", "a function"],
  flag: [(value) => typeof value === "boolean", "true or false"],
  names: [(value) => Array.isArray(value) && value.every((name) => typeof name === "string"), "a list of names"],
};

function mistakesInMember(member: string, value: unknown, sort: Member): readonly string[] {
  const [holds, wanted] = sorts[sort];
  return unless(holds(value), `\`${member}\` is ${wanted}`);
}

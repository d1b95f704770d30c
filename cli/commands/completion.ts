/** `mae completion`: a script that completes commands, options and their values in a shell, made from the commands that there are. */

import type { Command, Option } from "commander";
import { reporterNames } from "../arguments.js";
import { listPages } from "../words/pages.js";
import { print } from "../words/terminal.js";

export const shells = ["bash", "zsh", "fish"] as const;

export type Shell = (typeof shells)[number];

interface Flag {
  readonly names: readonly string[];
  readonly says: string;
  /** null: it takes no value. Empty: any. */
  readonly values: readonly string[] | null;
}

interface Known {
  readonly name: string;
  readonly says: string;
  readonly flags: readonly Flag[];
  /** Words that may stand as its argument; empty: a file. */
  readonly words: readonly string[];
}

export function completion(shell: Shell, program: Command): void {
  print(scripts[shell](knownOf(program)));
}

function knownOf(program: Command): readonly Known[] {
  const names = program.commands.map((one) => one.name());
  const words: Readonly<Record<string, readonly string[]>> = {
    explain: [...listPages("diagnostics"), ...listPages("blocks")],
    completion: shells,
    help: names,
  };
  return program.commands.map((one) => ({
    name: one.name(),
    says: one.summary() || one.description(),
    flags: one.options.filter(({ hidden }) => !hidden).map(flagOf),
    words: words[one.name()] ?? [],
  }));
}

const flagOf = (option: Option): Flag => ({
  names: [option.short, option.long].filter((name) => name !== undefined && name !== null) as string[],
  says: option.description,
  values: option.required || option.optional ? valuesOf(option) : null,
});

const valuesOf = ({ long, argChoices }: Option): readonly string[] =>
  argChoices ?? (long === "--reporter" ? reporterNames : []);

/** Text that no shell reads as anything else. */
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
const listed = (words: readonly string[]): string => quoted(words.join(" "));
const namesOf = ({ flags }: Known): readonly string[] => flags.flatMap(({ names }) => names);

/** One arm of a `case` for each option that takes one of some values. */
const valueArms = (known: readonly Known[], take: (words: string) => string): readonly string[] =>
  known.flatMap(({ name, flags }) =>
    flags
      .filter(({ values }) => values && values.length > 0)
      .map(
        ({ names, values }) =>
          `    ${names.map((flag) => quoted(`${name} ${flag}`)).join("|")}) ${take((values as readonly string[]).join(" "))} ;;`,
      ),
  );

const bash = (known: readonly Known[]): string => `# mae in bash: eval "$(mae completion bash)"
_mae() {
  local word="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}" command="" flags="" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    if [[ "\${COMP_WORDS[i]}" != -* ]]; then command="\${COMP_WORDS[i]}"; break; fi
  done
  COMPREPLY=()
  case "$command $before" in
${valueArms(known, (words) => `COMPREPLY=($(compgen -W ${quoted(words)} -- "$word")); return`).join("\n")}
  esac
  case "$command" in
    '') words=${listed(known.map(({ name }) => name))}; flags='--version --help' ;;
${known.map((one) => `    ${one.name}) flags=${listed(namesOf(one))}; words=${listed(one.words)} ;;`).join("\n")}
  esac
  if [[ "$word" == -* ]]; then words="$flags"; fi
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -o default -F _mae mae
`;

const zsh = (known: readonly Known[]): string => `#compdef mae
# mae in zsh: eval "$(mae completion zsh)", after compinit
_mae() {
  local command="" word
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ "$word" != -* ]]; then command="$word"; break; fi
  done
  case "$command \${words[CURRENT-1]}" in
${valueArms(known, (words) => `compadd -- ${words}; return`).join("\n")}
  esac
  case "$command" in
    '') compadd -- ${known.map(({ name }) => name).join(" ")} ;;
${known
  .map((one) => {
    const rest = one.words.length > 0 ? `compadd -- ${one.words.join(" ")}` : "_files";
    return `    ${one.name}) if [[ "$PREFIX" == -* ]]; then compadd -- ${namesOf(one).join(" ")}; else ${rest}; fi ;;`;
  })
  .join("\n")}
    *) _files ;;
  esac
}
compdef _mae mae
`;

/** In quotes of fish a backslash stands for itself unless it comes before a quote or another. */
const fishText = (text: string): string => `'${text.replace(/[\\']/g, (c) => `\\${c}`)}'`;

function fish(known: readonly Known[]): string {
  const lines = known.flatMap(({ name, says, flags, words }) => {
    const within = `complete -c mae -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c mae -f -n __fish_use_subcommand -a ${name} -d ${fishText(says)}`,
      ...(words.length > 0 ? [`${within} -f -a ${fishText(words.join(" "))}`] : []),
      ...flags.map((flag) => `${within} ${fishFlag(flag)}`),
    ];
  });
  return `${["# mae in fish: mae completion fish | source", ...lines].join("\n")}\n`;
}

function fishFlag({ names, says, values }: Flag): string {
  const named = names.map((name) => (name.startsWith("--") ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`));
  const taken = values === null ? [] : values.length > 0 ? [`-x -a ${fishText(values.join(" "))}`] : ["-r"];
  return [...named, ...taken, `-d ${fishText(says)}`].join(" ");
}

const scripts: Readonly<Record<Shell, (known: readonly Known[]) => string>> = { bash, zsh, fish };

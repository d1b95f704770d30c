/** `mae variants`: the members of a family, what each costs, and how they differ. */

import { type Cost, costOf, type Family, flopText, type Variant } from "../../compiler/index.js";
import { chooseFamilies, openModels } from "../specs/choose.js";
import { inColumns } from "../words/columns.js";
import { type Colors, count, grouped, print, printJson, stdoutColors } from "../words/terminal.js";
import { visibleText } from "../words/text-width.js";

export interface VariantsOptions {
  readonly json?: boolean;
  readonly config?: string;
}

export async function variants(file: string, name: string | undefined, options: VariantsOptions): Promise<void> {
  const listed = chooseFamilies(await openModels(file, options.config), name).map((family) => ({
    family,
    rows: family.members.map((member) => ({ member, cost: costOf(member.model) })),
  }));
  if (options.json) printJson({ format_version: "1.0", families: listed.map(document) });
  else print(`${listed.map((one) => table(one, stdoutColors()).join("\n")).join("\n\n")}\n`);
}

interface Listed {
  readonly family: Family;
  readonly rows: readonly { readonly member: Variant; readonly cost: Cost }[];
}

/** The document's fields are documented in `docs/cli.md`. */
const document = ({ family, rows }: Listed) => ({
  name: family.name,
  base: family.base,
  skipped: family.skipped,
  members: rows.map(({ member, cost }) => ({
    name: member.name,
    model: member.model.name,
    seed: member.seed,
    ...cost,
    differences: member.differences,
  })),
});

function table({ family, rows }: Listed, colors: Colors): string[] {
  const head = ["member", "parameters", "visible", "training", "what differs"];
  const varied = family.members[0]?.differences.filter(({ path }) => isVaried(family, path)) ?? [];
  const cells = rows.map(({ member, cost }) => [
    member.name,
    grouped(cost.parameters),
    `${cost.tokens.visible}/${cost.tokens.total}`,
    flopText(cost.flops.training),
    member.differences
      .filter(({ path }) => varied.some((one) => one.path === path))
      .map(({ path, value }) => `${path} ${visibleText(value)}`)
      .join(", "),
  ]);
  const [first = "", ...lines] = inColumns([head, ...cells], (column) => column === 0 || column === 4);
  const skipped = family.skipped === 0 ? "" : `, ${grouped(family.skipped)} left out`;
  const title = `${colors.bold(family.name)} of ${family.base}: ${count(family.members.length, "member")}${skipped}`;
  return [title, colors.dim(first), ...lines];
}

/** Whether members differ in what an axis says. */
const isVaried = ({ members }: Family, path: string): boolean =>
  new Set(members.map(({ differences }) => differences.find((one) => one.path === path)?.value)).size > 1;

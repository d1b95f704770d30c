/** The plain values of a recipe: `batch 4096`, and how a child changes them. */

import type { Param } from "../../blocks/index.js";
import type { Remove, SetValue, Slot } from "../../grammar/index.js";
import { readSetting } from "./blocks.js";
import type { DraftValue } from "./draft.js";
import { onlyValue, readEvery, settings, unexpectedBody } from "./lines.js";
import { excerpt, fail, lineRemoval, replacement } from "./report.js";
import { sameValue } from "./values.js";
import { changeWithoutBase, overriddenChange, type Work, withoutEffect } from "./work.js";

/** Reads a line such as `batch 4096`. */
export function readSettingLine(entry: Slot, setting: Param<unknown>, work: Work): void {
  const { body } = work;
  const { name } = entry.slot;
  if (entry.label) {
    fail(body.report, "check/unexpected-label", entry.label.span, `\`${name}\` takes no label`, {
      help: `write \`${name}\` and its value`,
    });
  }
  readEvery(entry, false, body);
  if (entry.entries) unexpectedBody(entry, body);
  const [written] = onlyValue(entry, body);
  const value = written ? readSetting(setting.type, written, `\`${name}\``, body) : null;
  if (entry.verb !== null && !work.extending) changeWithoutBase(entry, `\`${entry.verb}\``, work);
  const earlier = work.settingsMade.get(name);
  if (earlier) doubled(entry, earlier, work);
  else if (work.extending) plainSetting(entry, work);
  work.settingsMade.set(name, entry.span);
  work.settings.set(
    name,
    value === null || !written ? null : { value, origin: { how: "written", span: written.span } },
  );
}

function doubled(entry: Slot, earlier: Slot["span"], { body }: Work): void {
  fail(body.report, "check/duplicate-slot", entry.slot.span, `\`${entry.slot.name}\` is written twice`, {
    help: "remove one of them",
    related: [{ span: earlier, message: "first written here" }],
  });
}

/** In a child a setting is changed by `set` alone. */
function plainSetting(entry: Slot, { body }: Work): void {
  const { name, span } = entry.slot;
  const [value] = entry.values;
  const text = value ? `set ${name}: ${excerpt(value.span)}` : `set ${name}: ...`;
  fail(
    body.report,
    "check/plain-line-in-child",
    span,
    `\`${name}\` is a value of what is inherited, and this line does not say that it changes it`,
    {
      reason:
        "In a declaration that extends another, every difference is said in words; a single value is changed by `set`.",
      help: `write \`${text}\``,
      fix: value ? replacement({ ...entry.span, start: entry.span.start }, text) : undefined,
    },
  );
}

/** `set batch: 512` and `remove clip`. */
export function changeSetting(entry: SetValue | Remove, work: Work): void {
  const { body, settingsMade } = work;
  const name = (entry.kind === "set" ? entry.path[0] : entry.slot)?.name as string;
  const verb = entry.kind === "set" ? "`set`" : "`remove`";
  if (!work.extending) {
    changeWithoutBase(entry, verb, work);
    return;
  }
  const earlier = settingsMade.get(name);
  if (earlier) overriddenChange(earlier, entry.span, body);
  settingsMade.set(name, entry.span);
  if (entry.kind === "remove") removeSetting(entry, name, work);
  else if (entry.value) work.settings.set(name, setSetting(entry, name, work));
}

function removeSetting(entry: Remove, name: string, { body, base, settings: held }: Work): void {
  if (!base.settings.has(name) && !base.open) {
    fail(body.report, "check/nothing-to-change", entry.span, `\`${name}\` is not set in what is inherited`, {
      help: "remove the line",
      fix: lineRemoval(entry.span, "Remove the line"),
    });
  }
  held.delete(name);
}

function setSetting(entry: SetValue, name: string, work: Work): DraftValue | null {
  const { body, base } = work;
  const param = settings[name] as Param<unknown>;
  if (!entry.value) return null;
  const value = readSetting(param.type, entry.value, `\`${name}\``, body);
  if (value === null) return null;
  const before = base.settings.get(name);
  const old = before === undefined ? param.default : before?.value;
  if (old !== undefined && sameValue(param.type, old, value)) {
    const from = before?.origin.span ?? entry.span;
    withoutEffect(entry.span, `\`${name}\` is ${excerpt(entry.value.span)} already`, from, work);
  }
  return { value, origin: { how: "set", span: entry.value.span } };
}

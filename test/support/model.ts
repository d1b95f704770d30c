/** Models for tests, checked from their text. */

import { registry } from "../../blocks/index.js";
import { analyze, type Model } from "../../compiler/index.js";

/** The last model of a text that must be without errors. */
export function modelOf(text: string): Model {
  const { models, diagnostics } = analyze({ path: "test.mae", text }, { readText: () => null }, registry);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(errors.map(({ code, message }) => `${code}: ${message}`).join("\n"));
  const model = [...models.values()].at(-1);
  if (!model) throw new Error("the text holds no model");
  return model;
}

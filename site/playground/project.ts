/** The text in the editor beside the examples that it may import: what the compiler and the editor's helpers ask for. */

import { registry } from "../../blocks/index.js";
import { type Analysis, analyze, type Model, type Recipe } from "../../compiler/index.js";
import type { Surroundings } from "../../editor/browser.js";
import { parse, type Source } from "../../grammar/index.js";

export interface Project {
  readonly check: (text: string) => Analysis;
  readonly source: (text: string) => Source;
  readonly around: Surroundings;
}

/** All files lie in one folder. */
const nameIn = (path: string): string => path.replace(/^\.\//, "");

export function openProject(examples: Readonly<Record<string, string>>): Project {
  const source = (text: string): Source => ({ path: "playground.mae", text });
  const readText = (path: string): string | null => examples[nameIn(path)] ?? null;
  return {
    source,
    check: (text) => analyze(source(text), { readText }, registry),
    around: {
      registry,
      imported(_, path) {
        const text = readText(path);
        return text === null ? null : parse({ path: nameIn(path), text }).file;
      },
      home: () => null,
    },
  };
}

/** Something of a text that can be looked at. */
export interface Subject {
  readonly name: string;
  readonly model: Model;
  readonly recipe: Recipe | null;
}

/** Sound recipes with their models, models and members of families that the text declares, by their names. */
export function subjectsOf({ file, models, recipes, families }: Analysis): readonly Subject[] {
  const isOwn = ({ span }: { readonly span: { readonly source: Source } }): boolean => span.source === file.source;
  const trained = [...recipes.values()].filter(isOwn).flatMap((recipe): Subject[] => {
    const model = models.get(recipe.model);
    return model ? [{ name: recipe.name, model, recipe }] : [];
  });
  const alone = [...models.values()].filter(isOwn).map((model): Subject => ({ name: model.name, model, recipe: null }));
  const members = [...families.values()].flatMap((family) =>
    family.members.map(({ name, model }): Subject => ({ name, model, recipe: null })),
  );
  return [...trained, ...alone, ...members];
}

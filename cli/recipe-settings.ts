/** The settings of a recipe after the flags of the command line. */

import { type Recipe, withSettings } from "../compiler/index.js";

export { settingsOf, trainingOf, withSettings } from "../compiler/index.js";

/** Flags that change a recipe; absent: as the recipe says. */
export interface SettingFlags {
  readonly batch?: number;
  readonly epochs?: number;
  readonly steps?: number;
  readonly seed?: number;
}

/** The recipe with what the flags say. */
export const withFlags = (recipe: Recipe, flags: SettingFlags): Recipe => withSettings(recipe, flags);

/** `mae.config.json`: which block files a project has, what they define, and what is wrong with them. */

export { configCodes } from "./codes.js";
export { addressesOf, elsewhere } from "./elsewhere.js";
export { configFile, findConfig, namedConfig } from "./find.js";
export { changedFiles, type RunProject, runProject } from "./run-project.js";
export { analyzeWith } from "./trial.js";
export {
  blockAtFault,
  forgetChanged,
  type OwnBlock,
  ownPage,
  ownVocabulary,
  type Project,
  type ProjectFile,
  type Vocabulary,
  vocabularyOf,
  weighed,
} from "./vocabulary.js";

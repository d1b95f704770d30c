/**
 * What test files leave behind on the machine goes when they end. Helpers say what, by `afterFile`: they are modules that many test
 * files share, so that hooks of their own would run for the first of those files alone. Vitest runs this file anew for each.
 */

import { afterAll } from "vitest";
import { removeLeftovers } from "./after-file.js";

afterAll(removeLeftovers);

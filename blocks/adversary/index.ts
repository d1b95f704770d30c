/** The adversaries, sorted by name. */

import type { Adversary } from "./contract.js";

export { type Adversary, type AdversaryContext, type AdversaryInputs, defineAdversary } from "./contract.js";

export const adversaries: readonly Adversary[] = [];

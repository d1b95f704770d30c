/** The adversaries, sorted by name. */

import { patchDiscriminator } from "./patch-discriminator.js";

export {
  type Adversary,
  type AdversaryContext,
  type AdversaryInputs,
  defineAdversary,
  type JudgedModel,
  type JudgedPlaces,
} from "./contract.js";
export { patchDiscriminator };

export const adversaries = [patchDiscriminator] as const;

/** A project can define a block of every kind: nothing of ours is out of its reach. */

import { expect, test } from "vitest";
import * as vocabulary from "../../blocks/index.js";

test("each kind of block has a function that defines it", () => {
  const defining = Object.entries(vocabulary).filter(([name]) => /^define(?!Model$)/.test(name));
  const kinds = defining.map(([, define]) => vocabulary.kindOf((define as (definition: object) => object)({})));
  expect(kinds.sort()).toEqual(Object.keys(vocabulary.registry).sort());
});

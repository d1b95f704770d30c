/** The units of the language. A closed table; which of them a parameter takes is said by its kind. */

export const units: ReadonlyMap<string, string> = new Map([
  ["%", "a share of the whole"],
  ["epochs", "passes over the data"],
  ["steps", "optimizer steps"],
  ["ms", "milliseconds"],
  ["s", "seconds"],
  ["Hz", "times a second"],
  ["kHz", "thousand times a second"],
]);

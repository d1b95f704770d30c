/** Arithmetic on literal sizes in types. Stays `number` where an operand is not a literal. */
export {};

/** The edition of the language whose meaning this version implements. */
export const edition = 2026;

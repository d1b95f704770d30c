/** Names in the code of a model: as JavaScript writes them, and no two alike. */

/** `low_pass` -> `lowPass` */
export const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** `low_pass` -> `LowPass` */
export const pascal = (name: string): string =>
  name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());

/** The names, each with its number among those like it from the second on, `before` in front of the number. */
export const numbered = (names: readonly string[], before = ""): readonly string[] =>
  names.map((name, i) => {
    const earlier = names.slice(0, i).filter((other) => other === name).length;
    return earlier === 0 ? name : `${name}${before}${earlier + 1}`;
  });

/** `wanted`, or with the first number from 2 on behind it that makes a name which is not taken. */
export function distinct(wanted: string, isTaken: (name: string) => boolean, before = ""): string {
  let name = wanted;
  for (let i = 2; isTaken(name); i++) name = `${wanted}${before}${i}`;
  return name;
}

/** Names in the code of a model: as JavaScript writes them, and no two alike. */

/** `low_pass` -> `lowPass` */
export const camel = (name: string): string => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** `wanted`, or with the first number from 2 on behind it that makes a name which is not taken. */
export function distinct(wanted: string, isTaken: (name: string) => boolean, before = ""): string {
  let name = wanted;
  for (let i = 2; isTaken(name); i++) name = `${wanted}${before}${i}`;
  return name;
}

// Writes made sentences as the text files that sentences-bert.mae and its like read, a line each, with their classes.
//
//   node examples/data/sentences.mjs [folder]           (default: data/sentences; a second)
//
// Everything is made by a small grammar of English: verbs agree with their subjects, also over words in between; names go with their
// pronouns, places with what is done there. Four classes, by where a sentence plays: garden, harbour, kitchen, school. No word tells the
// class alone: each place shares its things with another one, and its verbs with a third.
// Always the same sentences: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/sentences";

/** Each thing is at home in two places, each verb too; both together tell where a sentence plays. */
const places = {
  garden: { things: ["apple", "flower", "basket", "ladder"], verbs: ["carry", "count", "wash", "paint"] },
  harbour: { things: ["rope", "boat", "basket", "ladder"], verbs: ["pull", "repair", "wash", "paint"] },
  kitchen: { things: ["apple", "flower", "plate", "spoon"], verbs: ["pull", "repair", "clean", "sort"] },
  school: { things: ["rope", "boat", "plate", "spoon"], verbs: ["carry", "count", "clean", "sort"] },
};

const people = {
  she: ["Anna", "Mary", "Ruth", "Helen"],
  he: ["Peter", "John", "Paul", "Henry"],
};
const workers = ["gardener", "sailor", "teacher", "baker", "child", "neighbour"];
const adjectives = ["old", "small", "heavy", "new", "broken", "red", "green"];
const times = ["in the morning", "in the evening", "on Sunday", "after the rain", "before noon", "in winter"];
const feelings = ["is happy", "is tired", "is late", "is hungry"];

const random = randomFrom(7);
const pick = (list) => list[Math.floor(random() * list.length)];
const chance = (share) => random() < share;

const plural = (noun) => (noun === "child" ? "children" : noun.endsWith("sh") ? `${noun}es` : `${noun}s`);
const third = (verb) =>
  /(?:sh|ss)$/.test(verb) ? `${verb}es` : /[^aeiou]y$/.test(verb) ? `${verb.slice(0, -1)}ies` : `${verb}s`;
const article = (noun) => (/^[aeiou]/.test(noun) ? `an ${noun}` : `a ${noun}`);
const capital = (text) => text[0].toUpperCase() + text.slice(1);

/** One or several of something, with its words. */
function nounPhrase(noun, several) {
  const described = chance(0.5) ? `${pick(adjectives)} ` : "";
  if (several) return `${pick(["the", "two", "three", "many"])} ${described}${plural(noun)}`;
  return chance(0.5) ? `the ${described}${noun}` : article(`${described}${noun}`);
}

/** Who does something: words, and how the verb stands. */
function subject() {
  if (chance(0.4)) {
    const pronoun = pick(["she", "he"]);
    return { text: pick(people[pronoun]), several: false, pronoun };
  }
  const several = chance(0.5);
  const worker = pick(workers);
  const near = chance(0.3) ? ` beside ${nounPhrase(pick(workers), chance(0.5))}` : "";
  return { text: nounPhrase(worker, several) + near, several, pronoun: several ? "they" : null };
}

function sentence(place) {
  const { things, verbs } = places[place];
  const { text, several, pronoun } = subject();
  const verb = pick(verbs);
  const does = several ? verb : third(verb);
  const what = nounPhrase(pick(things), chance(0.5));
  const when = chance(0.6) ? ` ${pick(times)}` : "";
  const feels = several ? pick(feelings).replace("is ", "are ") : pick(feelings);
  const because = pronoun !== null && chance(0.4) ? ` because ${pronoun} ${feels}` : "";
  return `${capital(text)} ${does} ${what}${when}${because}.`;
}

function made(count) {
  const kinds = Object.keys(places);
  return Array.from({ length: count }, () => pick(kinds)).map((place) => [sentence(place), place]);
}

function write(name, made) {
  writeFileSync(join(folder, `${name}.txt`), made.map(([text]) => `${text}\n`).join(""));
  writeFileSync(join(folder, `${name}-places.txt`), made.map(([, place]) => `${place}\n`).join(""));
}

mkdirSync(folder, { recursive: true });
const train = made(8000);
write("train", train);
write("few", train.slice(0, 400));
write("test", made(2000));
process.stdout.write(
  `Wrote 8000 training sentences, the first 400 of them apart, and 2000 test sentences of 4 places into ${folder}.\n`,
);

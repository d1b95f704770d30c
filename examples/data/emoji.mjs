// Writes the category of each picture of the npm package emoji-datasource-google as the label file that emoji.mae reads.
//
//   node examples/data/emoji.mjs [file]        (default: data/emoji/labels.csv)
//
// The package keeps all pictures in one folder and their categories in emoji.json. A picture with a skin tone has the
// category of the one without.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const file = process.argv[2] ?? "data/emoji/labels.csv";
const source = dirname(createRequire(import.meta.url).resolve("emoji-datasource-google/package.json"));
const emoji = JSON.parse(readFileSync(join(source, "emoji.json"), "utf8"));

const quoted = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

const rows = emoji
  .flatMap(({ image, category, skin_variations: tones = {} }) =>
    [image, ...Object.values(tones).map((tone) => tone.image)].map((name) => [name, category]),
  )
  .filter(([name]) => existsSync(join(source, "img", "google", "64", name)))
  .sort(([a], [b]) => (a < b ? -1 : 1));

mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `path,label\n${rows.map((row) => `${row.map(quoted).join(",")}\n`).join("")}`);
console.log(`${rows.length} pictures in ${new Set(rows.map(([, category]) => category)).size} categories: ${file}`);

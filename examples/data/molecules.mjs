// Writes made molecules as the SMILES that molecules-sma.mae reads, one in each line, with their classes.
//
//   node examples/data/molecules.mjs [folder]           (default: data/molecules; a second)
//
// Chains of pieces of organic molecules. Four classes, by what holds in the middle: an amide, an ester, a ketone and an amine apart from it, a ketone and
// an ether apart from it. No part of a SMILES tells the class alone, and neither does their number: what counts is what stands beside what.
// Beside them a made solubility: it grows with the group, more so beside a ring of carbon, falls with the number of atoms, and with how far the two parts
// of the group are apart, and has some noise.
// Always the same molecules: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { normalFrom, randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/molecules";
const counts = { train: 2000, test: 500 };

const heads = [
  "CC",
  "CCC",
  "CC(C)",
  "c1ccccc1",
  "C1CCCC1",
  "ClCC",
  "BrCC",
  "FC(F)(F)C",
  "C[C@H](F)",
  "N#CC",
  "C/C=C/C",
  "c1ccc2ccccc2c1",
];
const links = ["C", "CC", "CCC", "C(C)C", "C(F)C", "C1CC1"];
const tails = ["C", "CC", "C(C)C", "c1ccc(Cl)cc1", "C1CCCCC1", "CC#N", "C[C@@H](C)Br", "Cc1cccnc1", "c1ccsc1"];

const groups = {
  amide: (link) => `${link}C(=O)N`,
  ester: (link) => `${link}C(=O)O`,
  "ketone and amine": (link) => `C(=O)${link}N`,
  "ketone and ether": (link) => `C(=O)${link}O`,
};

const strengths = { amide: 4, ester: 2.5, "ketone and amine": 3, "ketone and ether": 1.5 };

const random = randomFrom(17);
const noise = normalFrom(randomFrom(18));
const pick = (list) => list[Math.floor(random() * list.length)];
const atoms = (smiles) => smiles.match(/Br|Cl|[A-Z]|[cns](?![a-z])/g).length;
const seen = new Set();

function molecule() {
  const names = Object.keys(groups);
  for (;;) {
    const group = Math.floor(random() * names.length);
    const [head, before, within] = [pick(heads), pick(links), pick(links)];
    const smiles = head + before + groups[names[group]](within) + pick(links) + pick(tails);
    if (seen.has(smiles)) continue;
    seen.add(smiles);
    const apart = names[group].startsWith("ketone") ? atoms(within) : 0;
    const strength = strengths[names[group]] * (head.includes("c1") ? 1.5 : 1);
    return { smiles, group, solubility: strength - 0.3 * apart - 0.15 * atoms(smiles) + 0.1 * noise() };
  }
}

mkdirSync(folder, { recursive: true });
for (const [split, count] of Object.entries(counts)) {
  const all = Array.from({ length: count }, molecule);
  writeFileSync(join(folder, `${split}.txt`), all.map(({ smiles }) => `${smiles}\n`).join(""));
  writeFileSync(join(folder, `${split}-groups.txt`), all.map(({ group }) => `${group}\n`).join(""));
  writeFileSync(
    join(folder, `${split}-solubility.txt`),
    all.map(({ solubility }) => `${solubility.toFixed(3)}\n`).join(""),
  );
}
console.log(`wrote ${counts.train} and ${counts.test} molecules to ${folder}`);

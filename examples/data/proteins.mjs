// Writes made proteins as the FASTA files that proteins-sma.mae reads, with their families.
//
//   node examples/data/proteins.mjs [folder]           (default: data/proteins; a second)
//
// A protein is a helix, in which every fourth or third residue repels water, a loop, a strand, in which every second does, and again a loop; some begin with the strand.
// Somewhere in its helix is one of two sites, in its strand one of two others, of the same residues in another order. Four families, by which of them a protein
// has: no residue tells a family, nor how many there are of each; their order does. Always the same proteins: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/proteins";
const counts = { train: 4000, test: 1000 };

const [repelling, helical, extended, loose] = ["AILMFVW", "AEKLQRDM", "VTIYSNKR", "GPNDSTG"];
const sites = { helix: ["HCDEC", "CEHDC"], strand: ["WGKHS", "HSWKG"] };
const families = ["kinase", "protease", "carrier", "receptor"];

const random = randomFrom(23);
const below = (end) => Math.floor(random() * end);
const pick = (letters) => letters[below(letters.length)];

/** So many residues, of which those that face inwards repel water. */
const stretch = (length, isInward, letters) =>
  Array.from({ length }, (_, i) => pick(isInward(i) ? repelling : letters)).join("");

const withSite = (residues, site) => {
  const at = 1 + below(residues.length - site.length - 1);
  return residues.slice(0, at) + site + residues.slice(at + site.length);
};

function protein() {
  const [first, second] = [below(2), below(2)];
  const turn = below(4);
  const helix = withSite(
    stretch(14 + below(5), (i) => [0, 3].includes((i + turn) % 4), helical),
    sites.helix[first],
  );
  const strand = withSite(
    stretch(9 + below(3), (i) => (i + turn) % 2 === 0, extended),
    sites.strand[second],
  );
  const loop = () => stretch(3 + below(4), () => false, loose);
  const parts = random() < 0.5 ? [helix, loop(), strand] : [strand, loop(), helix];
  return { sequence: `M${parts.join("")}${loop()}`, family: families[2 * first + second] };
}

mkdirSync(folder, { recursive: true });
for (const [split, count] of Object.entries(counts)) {
  const all = Array.from({ length: count }, protein);
  const records = all.map(({ sequence }, i) => `>${split}${i + 1}\n${sequence}\n`);
  writeFileSync(join(folder, `${split}.fasta`), records.join(""));
  writeFileSync(join(folder, `${split}-families.txt`), all.map(({ family }) => `${family}\n`).join(""));
}
console.log(`wrote ${counts.train} and ${counts.test} proteins to ${folder}`);

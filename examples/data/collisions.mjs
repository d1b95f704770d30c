// Writes made collisions of particles as the tables that collisions-mae.mae and its like read, a line each.
//
//   node examples/data/collisions.mjs [folder]           (default: data/collisions; a second)
//
// Each collision leaves two leptons, perhaps jets, and energy that nobody saw. In a signal the leptons come from one heavy particle, so that
// the mass of the pair lies near 90 and what a jet kicks it by is shared; in the background each has a momentum of its own. `pair_mass` and
// `pair_pt` follow from the leptons; a collision without jets has none to measure, and some measurements are lost. `log_energy`, the logarithm to base 10 of all
// energy, is what no model is told: it follows from momenta and directions, and from the energy that nobody saw, lost or not.
// A toy: nothing was simulated. Always the same collisions: all numbers come from one seed.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { normalFrom, randomFrom } from "./making.mjs";

const folder = process.argv[2] ?? "data/collisions";
const random = randomFrom(11);
const normal = normalFrom(random);
const exponential = (mean) => -mean * Math.log(1 - random());
const pick = (list) => list[Math.floor(random() * list.length)];
const turned = (angle) => Math.atan2(Math.sin(angle), Math.cos(angle));

/** A lepton of a momentum across the beam, along it by `eta`, around it by `phi`. */
const lepton = (x, y, z) => {
  const pt = Math.hypot(x, y);
  return { pt, eta: Math.asinh(z / Math.max(pt, 1e-3)), phi: Math.atan2(y, x) };
};

/** Two leptons of a heavy particle at rest, then kicked across the beam. */
function fromOne(kick, angle) {
  const mass = 91 + 5 * normal();
  const [cos, around] = [2 * random() - 1, 2 * Math.PI * random()];
  const sin = Math.sqrt(1 - cos * cos);
  const [x, y, z] = [sin * Math.cos(around), sin * Math.sin(around), cos].map((part) => (part * mass) / 2);
  const [kx, ky] = [(kick / 2) * Math.cos(angle), (kick / 2) * Math.sin(angle)];
  return [lepton(x + kx, y + ky, z), lepton(kx - x, ky - y, -z)];
}

const apart = () => {
  const around = 2 * Math.PI * random();
  const pt = 15 + exponential(28);
  return { pt, eta: 1.2 * normal(), phi: turned(around) };
};

function collision(isSignal) {
  const jets = Math.min(5, Math.floor(exponential(1.2)));
  const kick = jets === 0 ? exponential(6) : 20 + exponential(25);
  const angle = 2 * Math.PI * random();
  const [first, second] = (isSignal ? fromOne(kick, angle) : [apart(), apart()]).sort((a, b) => b.pt - a.pt);
  const x = first.pt * Math.cos(first.phi) + second.pt * Math.cos(second.phi);
  const y = first.pt * Math.sin(first.phi) + second.pt * Math.sin(second.phi);
  const open = Math.cosh(first.eta - second.eta) - Math.cos(first.phi - second.phi);
  const jet = jets === 0 ? null : { pt: kick * (1 + 0.1 * normal()), eta: 1.8 * normal() };
  const unseen = exponential(isSignal ? 12 : 22);
  const energies = [first, second, jet].map((one) => (one ? one.pt * Math.cosh(one.eta) : 0));
  const lost = (value, share) => (random() < share ? null : value);
  return {
    lepton1_pt: first.pt,
    lepton1_eta: first.eta,
    lepton1_phi: first.phi,
    lepton2_pt: second.pt,
    lepton2_eta: second.eta,
    lepton2_phi: second.phi,
    pair_mass: Math.sqrt(2 * first.pt * second.pt * open),
    pair_pt: Math.hypot(x, y),
    missing_energy: lost(unseen, 0.1),
    jets,
    jet_pt: jet?.pt ?? null,
    jet_eta: jet?.eta ?? null,
    flavour: isSignal || random() < 0.5 ? pick(["ee", "mm"]) : "em",
    tag: lost(jets === 0 ? "none" : pick(["none", "loose", "tight"]), 0.1),
    kind: isSignal ? "signal" : "background",
    log_energy: Math.log10(energies.reduce((sum, energy) => sum + energy, unseen)),
  };
}

const cell = (value) =>
  value === null ? "" : typeof value === "number" ? String(Number(value.toPrecision(5))) : value;

const collisions = (count) => Array.from({ length: count }, () => collision(random() < 0.5));

function write(name, rows) {
  const lines = [Object.keys(rows[0]), ...rows.map((row) => Object.values(row).map(cell))];
  writeFileSync(join(folder, `${name}.csv`), lines.map((line) => `${line.join(",")}\n`).join(""));
}

mkdirSync(folder, { recursive: true });
const train = collisions(8000);
write("train", train);
write("few", train.slice(0, 400));
write("test", collisions(2000));
process.stdout.write(
  `Wrote 8000 training collisions, the first 400 of them apart, and 2000 test collisions of 2 kinds into ${folder}.\n`,
);

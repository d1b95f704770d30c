// A page on which a picture is dropped: patches of it are hidden, and the model completes them. The model is what
// `mae export RUN --to browser -o examples/browser/model` writes; vite.config.js says where it lies.

import { open } from "exported-model";

const at = (id) => document.getElementById(id);
const say = (text) => {
  at("state").textContent = text;
};

const backend = new URLSearchParams(location.search).get("backend") ?? undefined;
const opening = open({ backend });
let pixels = null;
let draws = 0;

opening.then(
  (model) => {
    at("name").textContent = model.name;
    say(`${model.width} x ${model.height} pixels, computed here by ${model.backend}.`);
    document.body.dataset.ready = model.backend;
  },
  (error) => say(`The model could not be opened: ${error.message}`),
);

async function complete() {
  const model = await opening;
  const began = performance.now();
  const { input, completed, hidden } = await model.reconstruct(pixels, draws++);
  model.paint(at("input"), input);
  model.paint(at("masked"), input, hidden);
  model.paint(at("completed"), completed);
  at("pictures").hidden = false;
  at("again").hidden = false;
  say(`Completed in ${Math.round(performance.now() - began)} ms by ${model.backend}.`);
  document.body.dataset.completed = String(draws);
}

async function take(file) {
  if (!file) return;
  try {
    pixels = await (await opening).pixelsOf(file);
    await complete();
  } catch (error) {
    say(`${file.name} could not be shown: ${error.message}`);
  }
}

for (const [event, isOver] of [
  ["dragover", true],
  ["dragleave", false],
  ["drop", false],
]) {
  at("drop").addEventListener(event, (happened) => {
    happened.preventDefault();
    at("drop").classList.toggle("over", isOver);
  });
}
at("drop").addEventListener("drop", ({ dataTransfer }) => take(dataTransfer.files[0]));
at("file").addEventListener("change", ({ target }) => take(target.files[0]));
at("again").addEventListener("click", complete);

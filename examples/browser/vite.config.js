// `npx vite examples/browser` serves the page, `npx vite build examples/browser` writes it for any server of files.

import { fileURLToPath } from "node:url";

const model = process.env.MAE_MODEL ?? fileURLToPath(new URL("./model", import.meta.url));

export default {
  base: "./",
  resolve: { alias: { "exported-model": `${model}/index.js` } },
  build: { target: "es2022", chunkSizeWarningLimit: 2000 },
};

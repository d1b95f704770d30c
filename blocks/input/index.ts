/** The inputs, sorted by name. */

import { image } from "./image.js";
import { mesh } from "./mesh.js";
import { points } from "./points.js";
import { signal } from "./signal.js";
import { spectrogram } from "./spectrogram.js";
import { columnsText, table } from "./table.js";
import { text } from "./text.js";
import { video } from "./video.js";
import { volume } from "./volume.js";

export { defineInput, type Input } from "./contract.js";
export { columnsText, image, mesh, points, signal, spectrogram, table, text, video, volume };

export const inputs = [image, mesh, points, signal, spectrogram, table, text, video, volume] as const;

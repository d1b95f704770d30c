/** A look at the data before training: mistakes that concern every image are said at once, not at the thousandth step. */

import type { ImageShape, SampleIndex } from "../../blocks/index.js";
import { BrokenImage, type OpenImage, openImage, remarkOn, wrongChannels } from "./decode.js";
import { sourceOf } from "./prepare.js";

/** Files looked into, evenly spaced. */
const looked = 16;

/**
 * Reads the headers of a few files. Throws `run/channels` when one cannot be read as the model declares, or when all are
 * grey and the model declares colour: then the declaration is wrong, while single grey files in a colour set are usual.
 */
export async function checkFiles(index: SampleIndex, image: ImageShape, root: string): Promise<void> {
  const count = Math.min(looked, index.length);
  const files: OpenImage[] = [];
  for (let k = 0; k < count; k++) {
    const source = sourceOf(index.sample(Math.floor((k * index.length) / count)), root);
    if (source.kind !== "file") return;
    const file = await openImage(source.path).catch((error: unknown) => {
      if (error instanceof BrokenImage) return null;
      throw error;
    });
    if (file !== null) files.push(file);
  }
  const remarks = files.map((file) => remarkOn(file, image.channels));
  const [first] = files;
  if (first !== undefined && remarks.every((remark) => remark === "grey")) {
    const help = "Write `channels: 1` in the model's input: repeating grey three times would only cost time.";
    throw wrongChannels(first.path, 1, image.channels, help);
  }
}

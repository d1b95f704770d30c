/** Regions from files: what people or another program marked in each image. */

import { invariant } from "../../graph/index.js";
import { int, optional, text } from "../params.js";
import { defineRegionSource } from "./contract.js";

export const labelMaps = defineRegionSource({
  name: "label_maps",
  summary:
    "Regions from files beside the images: one number for each pixel, the same number for the pixels of a region.",
  source: "own definition; files as the released R-MAE prepares them are read",
  since: "0.1",
  params: {
    folder: text({
      doc: "Folder with a grey PNG of 8 or 16 bits, or an npy file (height, width) or (maps, height, width), for each image.",
    }),
    ignore: optional(
      int({ doc: "Number that is no region, such as that of unmarked pixels; if absent, every number is one." }),
    ),
  },
  positional: "folder",
  folder: (p) => p.folder,
  maps(_, { beside }) {
    invariant(beside, "the files beside the images are read");
    return beside;
  },
  ignored: (p) => p.ignore,
});

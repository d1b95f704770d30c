/** The library that reads and writes image files: loaded when the first one is needed, and probed for those who ask what is here. */

import { ask, entryOf, withComplaint } from "../../executors/attempt.js";
import { RunError } from "../../run-error.js";

type Library = typeof import("sharp").default;

const remedy = "npm install --include=optional sharp, on the platform and for the Node that run it.";

/** Readers that take any content, or one that begins as another's does. */
const refused = ["VipsForeignLoadMagick", "VipsForeignLoadOpenslide"];

/** sharp is heavy, and raw data does without it. */
let loading: Promise<Library> | undefined;

/** Throws `run/decoder-missing`. @internal */
export function loadSharp(): Promise<Library> {
  loading ??= import("sharp").then(
    ({ default: sharp }) => {
      // Each worker decodes one image at a time, each image once.
      sharp.concurrency(1);
      sharp.cache(false);
      // Of the whole process: what is read here may not be blocked for a moment, since other threads read meanwhile.
      sharp.block({ operation: refused });
      return sharp;
    },
    (error: unknown) => {
      throw new RunError(
        "run/decoder-missing",
        {
          what: "Image files can be neither read nor written here: the package sharp does not load",
          why: firstLine(error instanceof Error ? error.message : String(error)),
          help: `${remedy} Data in idx and npy files needs none.`,
        },
        { cause: error },
      );
    },
  );
  return loading;
}

const firstLine = (text: string): string => text.split("\n", 1)[0] ?? "";

/** Whether image files can be read here. */
export interface DecoderAvailability {
  readonly name: string;
  readonly present: boolean;
  readonly version?: string;
  /** Why it is not here. */
  readonly why?: string;
  /** What to do to get it. */
  readonly remedy?: string;
}

/** Reads a picture of one pixel in a process of its own. Never throws. */
export async function probeDecoder(): Promise<DecoderAvailability> {
  const missing = (why: string): DecoderAvailability => ({ name: "sharp", present: false, why, remedy });
  const entry = entryOf("sharp");
  if (entry === undefined) return missing("the package sharp is not installed");
  const answer = await ask(
    `try {
       const { default: sharp } = await import(${JSON.stringify(entry)});
       const raw = { width: 1, height: 1, channels: 1 };
       await sharp(await sharp(Buffer.of(0), { raw }).png().toBuffer()).raw().toBuffer();
       answer(sharp.versions.sharp);
     } catch (error) {
       console.error(String(error.message).split("\\n")[0]);
       process.exit(1);
     }`,
    20,
  );
  if (answer.kind === "failed") return missing(withComplaint(`it does not load, ${answer.why}`, answer.complaints));
  return { name: "sharp", present: true, version: JSON.parse(answer.text) as string };
}

/** The folder of what may be thrown away at any time. */

import { homedir } from "node:os";
import { join } from "node:path";

export const cacheFolder = (): string => join(process.env.XDG_CACHE_HOME || join(homedir(), ".cache"), "maelang");

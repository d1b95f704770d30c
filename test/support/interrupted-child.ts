/** A process that is told of Ctrl-C three times, by a clock of its own: twice for one key, and once more. */

import { listenForInterrupts } from "../../cli/interrupts.js";

let now = 0;
const { signal, begin } = listenForInterrupts({ outcome: "", undo: () => {} }, () => now);
signal.addEventListener("abort", () => console.log("aborted"));
begin();
process.emit("SIGINT", "SIGINT");
process.emit("SIGINT", "SIGINT");
console.log("still here");
now = 1000;
process.emit("SIGINT", "SIGINT");
console.log("too late");

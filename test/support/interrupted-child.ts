/** A process that is told of Ctrl-C twice for one key, later that its terminal is gone, and of Ctrl-C again, by a clock of its own. */

import { listenForInterrupts } from "../../cli/runs/interrupts.js";

let now = 0;
const { signal, begin } = listenForInterrupts({ outcome: "", undo: () => {} }, () => now);
signal.addEventListener("abort", () => console.log("aborted"));
begin();
process.emit("SIGINT", "SIGINT");
process.emit("SIGINT", "SIGINT");
console.log("still here");
now = 1000;
process.emit("SIGHUP", "SIGHUP");
console.log("and here");
process.emit("SIGINT", "SIGINT");
console.log("too late");

/**
 * The package's door for browsers: check a spec, plan it, print it, and run its model with weights from bytes. Needs
 * nothing of Node; training, data and emission stay behind the other doors.
 */

export * from "./index.js";
export * from "./runtime/browser.js";

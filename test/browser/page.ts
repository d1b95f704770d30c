/** What the page runs when the test asks it to. */

import { openInBrowser } from "../../runtime/executors/tfjs/browser.js";
import { type Report, reportOf } from "../runtime/executors/report.js";
import { everyNth, steps } from "./selection.js";

declare global {
  /** Called from outside the page. */
  var reportOn: (backend: "webgpu" | "webgl", stride: number) => Promise<Report>;
}

globalThis.reportOn = async (backend, stride) => {
  const executor = await openInBrowser(backend);
  const report = await reportOf(executor, steps, everyNth(stride));
  await executor.close();
  return report;
};

/** What the page runs when the test asks it to. */

import { listInBrowser, openInBrowser } from "../../runtime/executors/tfjs/browser.js";
import { type Report, reportOf } from "../runtime/executors/report.js";
import { everyNth, steps } from "./selection.js";

declare global {
  /** Called from outside the page. */
  var reportOn: (backend: "webgpu" | "webgl", stride: number) => Promise<Report | { readonly missing: string }>;
}

globalThis.reportOn = async (backend, stride) => {
  if (!(await listInBrowser()).includes(backend)) return { missing: `this browser offers no ${backend}` };
  const executor = await openInBrowser(backend);
  const report = await reportOf(executor, steps, everyNth(stride));
  await executor.close();
  return report;
};

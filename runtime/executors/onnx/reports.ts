/** What onnxruntime would tell its makers, kept from them. */

/**
 * The library (seen in 1.30 for Linux) gives the machine an id, kept below the user's cache, and sends its makers what it runs, unless this
 * variable is set before the first session. Who trains a model was not asked; a variable that is there already was an answer, either way.
 */
export function refuseReports(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
}

/** What goes on inside trained models, beside what probes say of their features. */

export { diagnose, drawsGroups } from "./diagnose.js";
export type { DiagnoseOptions, Diagnosis, FeatureFacts, GroupedSample } from "./diagnosis.js";
export { groupsPicture } from "./groups-picture.js";

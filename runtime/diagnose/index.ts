/** What goes on inside trained models, beside what probes say of their features. */

export {
  type DiagnoseOptions,
  type Diagnosis,
  diagnose,
  drawsGroups,
  type FeatureFacts,
  type GroupedSample,
} from "./diagnose.js";
export { groupsPicture } from "./groups-picture.js";

/** The schedules, sorted by name. */

import { constant } from "./constant.js";
import { cosine } from "./cosine.js";
import { step } from "./step.js";

export { defineSchedule, type Schedule, type ScheduleContext } from "./contract.js";
export { constant, cosine, step };

export const schedules = [constant, cosine, step] as const;

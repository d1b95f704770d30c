/** The schedules, sorted by name. */

import { constant } from "./constant.js";
import { cosine } from "./cosine.js";
import { restarts } from "./restarts.js";
import { step } from "./step.js";

export { defineSchedule, type Schedule, type ScheduleContext } from "./contract.js";
export { constant, cosine, restarts, step };

export const schedules = [constant, cosine, restarts, step] as const;

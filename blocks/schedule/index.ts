/** The schedules, sorted by name. */

import { constant } from "./constant.js";
import { cosine } from "./cosine.js";
import { linear } from "./linear.js";
import { restarts } from "./restarts.js";
import { step } from "./step.js";

export { defineSchedule, type Schedule, type ScheduleContext } from "./contract.js";
export { constant, cosine, linear, restarts, step };

export const schedules = [constant, cosine, linear, restarts, step] as const;

import { admission } from './admission.js';
import { reconcile } from './reconcile.js';
import { scheduling } from './scheduling.js';
import { secrets } from './secrets.js';
import { telemetry } from './telemetry.js';

/** Every hook point of the platform, by family. */
export const hooks = Object.freeze({ admission, scheduling, reconcile, secrets, telemetry });

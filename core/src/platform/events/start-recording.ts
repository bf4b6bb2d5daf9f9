import { platformEngine } from '@tappaas/sdk';
import type { Foundation } from '../foundation.js';
import type { Starting } from '../starting.js';
import { recordPlatformEvents } from './platform-events.js';

/** Records events of this process as Event objects, until the platform stops. */
export function startRecordingEvents(starting: Starting, { kernel, engines }: Foundation): void {
  const { clock, random, log } = starting.options;
  const stop = recordPlatformEvents({
    kernel,
    isWorker: starting.seat !== undefined,
    resources: engines.asPlatform(platformEngine),
    clock,
    random,
    log,
  });
  starting.onStop({ what: 'events of the platform', stop });
}

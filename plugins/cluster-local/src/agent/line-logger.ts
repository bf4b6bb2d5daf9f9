import type { Clock, Logger } from '@tappaas/sdk';

/** Creates a logger that writes one JSON object per line; debug messages are dropped. */
export function lineLogger(clock: Clock, write: (line: string) => void): Logger {
  const at =
    (level: string) =>
    (message: string, fields: object = {}) =>
      write(`${JSON.stringify({ time: new Date(clock.nowMs()).toISOString(), level, message, ...fields })}\n`);
  return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
}

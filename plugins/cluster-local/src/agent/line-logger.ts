import type { Clock, Logger } from '@tappaas/sdk';

/** A logger that writes one JSON object a line. */
export function lineLogger(clock: Clock, write: (line: string) => void): Logger {
  const at =
    (level: string) =>
    (message: string, fields: object = {}) =>
      write(`${JSON.stringify({ time: new Date(clock.nowMs()).toISOString(), level, message, ...fields })}\n`);
  return { debug: () => undefined, info: at('info'), warn: at('warn'), error: at('error') };
}

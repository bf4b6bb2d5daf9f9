import type { Clock, Logger, LogLine } from '@tappaas/sdk';

/** Makes a logger whose lines name the plugin; without a plugin they are the kernel's own. */
export function loggerOf(log: (line: LogLine) => void, clock: Clock, plugin?: string): Logger {
  const write = (level: LogLine['level']) => (message: string, fields?: object) => {
    const line = { level, atMs: clock.nowMs(), message, fields: (fields ?? {}) as LogLine['fields'] };
    log(plugin === undefined ? line : { ...line, plugin });
  };
  return Object.freeze({ debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') });
}

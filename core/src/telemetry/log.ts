import type { Clock, Logger, LogLine } from '@tappaas/sdk';
import { cleanedFields } from './log-fields.js';

/** Format of log lines: text for people at a terminal, or one JSON object per line for programs. */
export type LogFormat = 'text' | 'json';

export interface LogOptions {
  readonly write: (text: string) => void;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly format: LogFormat;
  readonly level: LogLine['level'];
}

/** The platform's log; `forPlugin` gives the log of one plugin, whose lines name it. */
export interface Log extends Logger {
  forPlugin(plugin: string): Logger;
  /** Writes a line made elsewhere, for example by a plugin. */
  line(line: LogLine): void;
  /**
   * Calls the listener for every written line, in sanitized form; returns the function that removes it. Lines logged by listeners are
   * skipped.
   */
  listen(listener: (line: LogLine) => void): () => void;
}

const levels: readonly LogLine['level'][] = ['debug', 'info', 'warn', 'error'];
const textCharactersMax = 8192;
/** Includes characters that would display a line in another order. */
const controlCharacters = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

/** Writes one line per call; control characters are escaped, so that no input can forge a line. */
export function createLog(options: LogOptions): Log {
  const lowest = levels.indexOf(options.level);
  const listeners = new Set<(line: LogLine) => void>();
  let isEmitting = false;
  const emit = (told: LogLine) => {
    if (isEmitting) return;
    isEmitting = true;
    try {
      for (const listener of listeners) listener(told);
    } finally {
      isEmitting = false;
    }
  };
  const listen = (listener: (line: LogLine) => void) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  };
  const line = (told: LogLine) => {
    if (levels.indexOf(told.level) < lowest) return;
    const clean = { ...told, fields: cleanedFields(told.fields) };
    options.write(options.format === 'json' ? jsonLine(clean) : textLine(clean));
    emit(clean);
  };
  const logger = (plugin: string | undefined): Logger => {
    const at =
      (level: LogLine['level']) =>
      (message: string, fields: object = {}) =>
        line({
          level,
          atMs: options.clock.nowMs(),
          ...(plugin === undefined ? {} : { plugin }),
          message,
          fields: fields as LogLine['fields'],
        });
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  };
  return { ...logger(undefined), forPlugin: logger, line, listen };
}

function jsonLine({ level, atMs, plugin, message, fields }: LogLine): string {
  const head = {
    time: new Date(atMs).toISOString(),
    level,
    ...(plugin === undefined ? {} : { plugin }),
    message: message.slice(0, textCharactersMax),
  };
  // The head is repeated: it comes first, and fields cannot override it.
  return `${escaped(JSON.stringify({ ...head, ...fields, ...head }))}\n`;
}

function textLine({ level, atMs, plugin, message, fields }: LogLine): string {
  const names = Object.entries(fields).map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const head = `${new Date(atMs).toISOString().slice(11, 23)} ${level.padEnd(5)}`;
  const text = [plugin === undefined ? '' : `[${plugin}]`, message, ...names].filter((part) => part !== '').join(' ');
  return `${head} ${escaped(text.slice(0, textCharactersMax))}\n`;
}

const escaped = (text: string) =>
  text.replace(controlCharacters, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);

import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** Parses the value of `--timeout`. */
export function secondsOf(text: string): number {
  const seconds = Number(text);
  if (Number.isFinite(seconds) && seconds > 0 && seconds <= 86_400) return seconds;
  throw new CliError(`timeout "${text}" is no number of seconds from 1 to 86400`, {
    remedy: 'Write it as --timeout 600.',
    exitCode: exitCodes.usage,
  });
}

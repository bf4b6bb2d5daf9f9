import type { ApiError, UnreachableError } from '@tappaas/client';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** Converts an error of the client for the user; undefined for other errors. Errors are recognized by name, so that no module is loaded. */
export function cliErrorOf(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'ApiError') return refusal(error as ApiError);
  return error.name === 'UnreachableError' ? unreachable(error as UnreachableError) : undefined;
}

/** Uses the platform's own message, each cause, and the remedy. */
function refusal(error: ApiError): CliError {
  const causeTexts = error.causes.map(({ field, message }) => `${field ? `${field}: ` : ''}${message ?? ''}`);
  // A single cause often equals the whole message, but only the cause has the field.
  const isWhole = error.causes.length === 1 && error.causes[0]?.message === error.message;
  const message = isWhole ? (causeTexts[0] ?? error.message) : error.message;
  const causes = causeTexts.filter((cause) => !message.includes(cause)).map((cause) => `\n  ${cause}`);
  const remedy = error.status === 401 ? 'Log in again with tappaas login.' : error.remedy;
  return new CliError(`${message}${causes.join('')}`, { remedy, exitCode: exitCodes.failed, cause: error });
}

const remedies: Readonly<Record<UnreachableError['reason'], string>> = {
  untrusted: 'Log in again with --certificate-authority and the ca.pem of the platform’s data directory.',
  'broken-off': 'Give the command again; tappaas apps says whether the platform answers.',
  deadline: 'Give the command again; tappaas apps says whether the platform answers.',
  unreachable: 'Start the platform with tappaas up, or log in to another one with tappaas login.',
  'too-large': 'Ask for less.',
};

function unreachable(error: UnreachableError): CliError {
  const exitCode = error.reason === 'too-large' ? exitCodes.failed : exitCodes.unavailable;
  return new CliError(error.message, { remedy: remedies[error.reason], exitCode, cause: error });
}

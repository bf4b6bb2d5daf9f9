import type { ApiError, UnreachableError } from '@tappaas/client';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** What a person is told of an error of the client; nothing for errors that are nobody's to tell. Known by name, so that nothing is loaded. */
export function toldError(error: unknown): CliError | undefined {
  if (error instanceof CliError) return error;
  if (!(error instanceof Error)) return undefined;
  if (error.name === 'ApiError') return refusal(error as ApiError);
  return error.name === 'UnreachableError' ? unreachable(error as UnreachableError) : undefined;
}

/** The platform's own words: message, each cause, and what to do. */
function refusal(error: ApiError): CliError {
  const told = error.causes.map(({ field, message }) => `${field ? `${field}: ` : ''}${message ?? ''}`);
  // What a single cause says often is the whole message already, and the field stands nowhere else.
  const isWhole = error.causes.length === 1 && error.causes[0]?.message === error.message;
  const message = isWhole ? (told[0] ?? error.message) : error.message;
  const causes = told.filter((cause) => !message.includes(cause)).map((cause) => `\n  ${cause}`);
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

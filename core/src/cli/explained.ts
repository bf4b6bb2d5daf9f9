import { isTapError, type TapError } from '@tappaas/sdk';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** A failure of the platform's own code for the person at the terminal; a wrong configuration has an exit code of its own. */
export function explained(error: unknown): never {
  if (!isTapError(error)) throw error;
  const exitCode = error.code === 'TAP_CONFIG_INVALID' ? exitCodes.configuration : exitCodes.failed;
  const whose = error.plugin === undefined ? '' : `plugin ${error.plugin}: `;
  throw new CliError(`${whose}${error.message}`, { remedy: remedyFor(error), exitCode, cause: error });
}

/** A plugin that could not start for a reason it knows has the better advice than the start that failed with it. */
function remedyFor({ code, cause, spec }: TapError): string {
  const knows = code === 'TAP_PLUGIN_START_FAILED' && isTapError(cause) && !cause.code.startsWith('TAP_PLUGIN_');
  return knows ? cause.spec.remedy : spec.remedy;
}

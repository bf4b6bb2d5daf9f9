import { isTapError } from '@tappaas/sdk';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** A failure of the platform's own code for the person at the terminal; a wrong configuration has an exit code of its own. */
export function explained(error: unknown): never {
  if (!isTapError(error)) throw error;
  const exitCode = error.code === 'TAP_CONFIG_INVALID' ? exitCodes.configuration : exitCodes.failed;
  const whose = error.plugin === undefined ? '' : `plugin ${error.plugin}: `;
  throw new CliError(`${whose}${error.message}`, { remedy: error.spec.remedy, exitCode, cause: error });
}

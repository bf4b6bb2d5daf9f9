import { isTapError, type TapError } from '@tappaas/sdk';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';

/** Converts an error of the platform's own code for the user; an invalid configuration has its own exit code. */
export function explained(error: unknown): never {
  if (!isTapError(error)) throw error;
  const exitCode = error.code === 'TAP_CONFIG_INVALID' ? exitCodes.configuration : exitCodes.failed;
  const prefix = error.plugin === undefined ? '' : `plugin ${error.plugin}: `;
  throw new CliError(`${prefix}${error.message}`, { remedy: remedyFor(error), exitCode, cause: error });
}

/** Returns the remedy. If a plugin's start failed with a known error, that error's remedy is more specific. */
function remedyFor({ code, cause, spec }: TapError): string {
  const knows = code === 'TAP_PLUGIN_START_FAILED' && isTapError(cause) && !cause.code.startsWith('TAP_PLUGIN_');
  return knows ? cause.spec.remedy : spec.remedy;
}

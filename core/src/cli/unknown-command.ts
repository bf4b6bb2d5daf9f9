import { nearestName } from '../kernel/config/nearest-name.js';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { commands } from './commands.js';

/** The command that a mistyped one may have been meant to be. */
export function nearestCommand(name: string): string | undefined {
  return nearestName(
    name,
    commands.map((command) => command.name),
  );
}

/** What a first word is answered with that names nothing. */
export function unknownCommand(name: string): CliError {
  const guess = nearestCommand(name);
  return new CliError(`there is no command "${name}"${guess ? `; did you mean "${guess}"?` : ''}`, {
    remedy: 'tappaas help lists the commands; tappaas KIND ACTION NAME runs an action that a plugin has given to a kind.',
    exitCode: exitCodes.usage,
  });
}

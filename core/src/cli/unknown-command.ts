import { nearestName } from '../kernel/config/nearest-name.js';
import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import { commands } from './commands.js';

/** Returns the command most similar to a mistyped one. */
export function nearestCommand(name: string): string | undefined {
  return nearestName(
    name,
    commands.map((command) => command.name),
  );
}

/** The error for a first word that is not a command. */
export function unknownCommand(name: string): CliError {
  const guess = nearestCommand(name);
  return new CliError(`there is no command "${name}"${guess ? `; did you mean "${guess}"?` : ''}`, {
    remedy: 'tappaas help lists the commands; tappaas KIND ACTION NAME runs an action that a plugin has given to a kind.',
    exitCode: exitCodes.usage,
  });
}

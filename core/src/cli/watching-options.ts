import type { Invocation, Option } from './command.js';

/** kubectl watches lists with `-w` and follows logs with `-f`: who means the one and writes the other is understood. */
export const watchingOptions: Readonly<Record<string, Option>> = {
  watch: { type: 'boolean', short: 'w', description: 'Keep showing changes, until Ctrl-C.' },
  follow: { type: 'boolean', short: 'f', description: 'The same.' },
};

/** Says whether a command is to go on. */
export const isWatching = ({ options }: Pick<Invocation, 'options'>): boolean => options['watch'] === true || options['follow'] === true;

/** Says whether programs read what is printed. */
export const isForPrograms = ({ output }: Pick<Invocation, 'output'>): boolean => output === 'json' || output === 'yaml';

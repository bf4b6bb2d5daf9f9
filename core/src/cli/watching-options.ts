import type { Invocation, Option } from './command.js';

/** kubectl watches lists with `-w` and follows logs with `-f`; both are accepted for either. */
export const watchingOptions: Readonly<Record<string, Option>> = {
  watch: { type: 'boolean', short: 'w', description: 'Keep showing changes, until Ctrl-C.' },
  follow: { type: 'boolean', short: 'f', description: 'The same.' },
};

/** Whether a command should keep running. */
export const isWatching = ({ options }: Pick<Invocation, 'options'>): boolean => options['watch'] === true || options['follow'] === true;

/** Whether the output is read by programs. */
export const isForPrograms = ({ output }: Pick<Invocation, 'output'>): boolean => output === 'json' || output === 'yaml';

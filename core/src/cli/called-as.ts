import type { Terminal } from './terminal.js';

/** Returns how to invoke this command again: npm sets `npm_command`, and finds the command on a PATH of its own only. */
export const calledAs = ({ env }: Pick<Terminal, 'env'>): string => (env['npm_command'] === undefined ? 'tappaas' : 'npx tappaas');

/** The namespace of commands without `-n`. */
export const defaultNamespace = ({ env }: Pick<Terminal, 'env'>): string => env['TAPPAAS_NAMESPACE'] ?? 'default';

/** Returns the option that a suggested command needs to refer to this namespace; empty for the default one. */
export const inNamespace = (terminal: Pick<Terminal, 'env'>, namespace: string): string =>
  namespace === defaultNamespace(terminal) ? '' : ` -n ${namespace}`;

import type { Terminal } from './terminal.js';

/** Returns how to invoke the command again in the same way; npm announces itself in the environment and adds it to no PATH but its own. */
export const calledAs = ({ env }: Pick<Terminal, 'env'>): string => (env['npm_command'] === undefined ? 'tappaas' : 'npx tappaas');

/** The namespace of commands without `-n`. */
export const defaultNamespace = ({ env }: Pick<Terminal, 'env'>): string => env['TAPPAAS_NAMESPACE'] ?? 'default';

/** Returns the option that a suggested command needs to refer to this namespace; empty for the default one. */
export const inNamespace = (terminal: Pick<Terminal, 'env'>, namespace: string): string =>
  namespace === defaultNamespace(terminal) ? '' : ` -n ${namespace}`;

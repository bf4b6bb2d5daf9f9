import type { Terminal } from './terminal.js';

/** How to call the command again where it was called from: npm says what it runs, and puts it into no other path than its own. */
export const calledAs = ({ env }: Pick<Terminal, 'env'>): string => (env['npm_command'] === undefined ? 'tappaas' : 'npx tappaas');

/** The namespace of commands that name none. */
export const defaultNamespace = ({ env }: Pick<Terminal, 'env'>): string => env['TAPPAAS_NAMESPACE'] ?? 'default';

/** What a command that is offered needs to be about an object of this namespace, and of no other one of the same name. */
export const inNamespace = (terminal: Pick<Terminal, 'env'>, namespace: string): string =>
  namespace === defaultNamespace(terminal) ? '' : ` -n ${namespace}`;

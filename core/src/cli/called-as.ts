import type { Terminal } from './terminal.js';

/** How to call the command again where it was called from: npm says what it runs, and puts it into no other path than its own. */
export const calledAs = ({ env }: Pick<Terminal, 'env'>): string => (env['npm_command'] === undefined ? 'tappaas' : 'npx tappaas');

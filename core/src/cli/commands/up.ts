import { resolve } from 'node:path';
import type { Invocation } from '../command.js';

/** `tappaas up` */
export function up({ terminal, options, output }: Invocation): Promise<number> {
  const at = (option: string, otherwise: string) =>
    resolve(terminal.cwd, typeof options[option] === 'string' ? options[option] : otherwise);
  const first = typeof options['first'] === 'string' ? { firstDeployment: at('first', '') } : {};
  const { stdout, stderr } = terminal;
  const isTokenReplaced = options['new-admin-token'] === true;
  return terminal.startPlatform({ configFile: at('file', 'tappaas.yaml'), output, stdout, stderr, isTokenReplaced, ...first }, terminal);
}

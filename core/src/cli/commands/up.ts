import { resolve } from 'node:path';
import type { Invocation } from '../command.js';

/** `tappaas up` */
export function up({ terminal, options }: Invocation): Promise<number> {
  const at = (option: string, otherwise: string) =>
    resolve(terminal.cwd, typeof options[option] === 'string' ? options[option] : otherwise);
  return terminal.startPlatform({
    configFile: at('file', 'tappaas.yaml'),
    stdout: terminal.stdout,
    stderr: terminal.stderr,
    ...(typeof options['first'] === 'string' ? { firstDeployment: at('first', '') } : {}),
  });
}

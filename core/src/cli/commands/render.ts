import { resolve } from 'node:path';
import { readDeployable } from '../application-manifest.js';
import type { Invocation } from '../command.js';
import { namespaceChoice } from '../manifest-head.js';
import { print } from '../print.js';

/** `tappaas render`: prints what deploy would send, with all shorthands expanded. */
export async function render(invocation: Invocation): Promise<number> {
  const { terminal, positionals, options, output } = invocation;
  const name = options['name'];
  const { application } = await readDeployable(resolve(terminal.cwd, positionals[0] ?? '.'), {
    namespace: namespaceChoice(invocation),
    ...(typeof name === 'string' ? { name } : {}),
  });
  await print({ ...invocation, output: output === 'json' ? 'json' : 'yaml' }, application, () => '');
  return 0;
}

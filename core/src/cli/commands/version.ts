import { readFile } from 'node:fs/promises';
import type { Invocation } from '../command.js';
import { print } from '../print.js';

/** `tappaas version`: prints the version of the command, and that of the platform if it responds. */
export async function version(invocation: Invocation): Promise<number> {
  const own = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string };
  const platform = await invocation
    .client()
    .then((client) => client.json<{ gitVersion: string }>('/version', { timeoutMs: 2000 }))
    .then(
      (answer) => answer?.gitVersion,
      () => undefined,
    );
  await print(
    invocation,
    { client: own.version, node: process.versions.node, platform: platform ?? null },
    () => `tappaas ${own.version} (Node ${process.versions.node})\nplatform ${platform ?? 'not reached'}\n`,
  );
  return 0;
}

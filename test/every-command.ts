/** Every command of the command line, in an order in which a program can run them one after the other. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Connection } from './platform-process.ts';

export interface CommandLine {
  readonly words: readonly string[];
  /** With `-o json` it answers with one JSON object a line. */
  readonly isStream?: true;
}

/** SERVER and TOKEN stand for those of the connection. */
const commandLines: readonly CommandLine[] = [
  { words: ['login', 'SERVER', '--certificate-authority', 'data/ca.pem', '--token', 'TOKEN'] },
  { words: ['whoami'] },
  { words: ['deploy', 'hello', '--no-wait'] },
  { words: ['deploy', 'hello'] },
  { words: ['rollback', 'hello', '--unpin'] },
  { words: ['render', 'hello'] },
  { words: ['apps'] },
  { words: ['status', 'hello'] },
  { words: ['logs', 'hello'], isStream: true },
  { words: ['operations'] },
  { words: ['events'] },
  { words: ['check'] },
  { words: ['config', 'show'] },
  { words: ['config', 'schema'] },
  { words: ['plugins'] },
  { words: ['plugins', 'standard'] },
  { words: ['plugins', 'approve', 'standard'] },
  { words: ['secrets', 'keys'] },
  { words: ['explain', 'application/hello'] },
  { words: ['can', 'get', 'applications'] },
  { words: ['who-can', 'get', 'applications'] },
  { words: ['token', 'create', 'ci'] },
  { words: ['token', 'list'] },
  { words: ['token', 'describe', 'ci'] },
  { words: ['token', 'revoke', 'ci'] },
  { words: ['audit', 'search'] },
  { words: ['audit', 'tail'] },
  { words: ['audit', 'export'], isStream: true },
  { words: ['audit', 'verify'] },
  { words: ['policy', 'test', 'policies.yaml'] },
  { words: ['reload'] },
  { words: ['reload', '--workers'] },
  { words: ['version'] },
  { words: ['delete', 'hello'] },
  { words: ['logout'] },
];

/** Plugins that they need, in addition to those of a test's platform. */
export const pluginsOfCommands = {
  roles: { use: '@tappaas/access-rbac' },
  tokens: { use: '@tappaas/identity-token' },
  audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } },
};

/** What they need where they are run: an application and policies. */
export async function placeForCommands(directory: string): Promise<void> {
  await mkdir(join(directory, 'hello'));
  await writeFile(join(directory, 'hello/Procfile'), 'web: node server.js\n');
  await writeFile(
    join(directory, 'hello/server.js'),
    `console.log('to stdout'); console.error('to stderr');
     require('node:http').createServer((_, answer) => answer.end('hello')).listen(process.env.PORT);\n`,
  );
  await writeFile(join(directory, 'policies.yaml'), 'policies: []\ntests: []\n');
}

export function everyCommand({ server, token }: Connection): readonly CommandLine[] {
  const given: Readonly<Record<string, string>> = { SERVER: server, TOKEN: token };
  return commandLines.map(({ words, ...rest }) => ({ ...rest, words: words.map((word) => given[word] ?? word) }));
}

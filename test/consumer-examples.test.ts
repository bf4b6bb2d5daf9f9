/** The examples for consumers do what their pages say: what is printed matches the text block below each. */
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { issueAuthority, issueClient } from '../core/dist/api/certificates/certificate-issuer.js';
import { canRunExamples, ExampleRunner, examplesOf, expectedOf, type Example } from './page-examples.ts';
import { platformHome, root } from './platform-process.ts';
import { groupMayEverything, writePlugin } from './plugin-package.ts';

const example = canRunExamples ? test.serial : test.serial.skip;
let runner: ExampleRunner;
const started: (() => Promise<unknown>)[] = [];

test.before('a platform with an application runs', async (t) => {
  t.timeout(180_000);
  const home = await platformHome({
    first: join(root, 'examples/hello'),
    plugins: {
      tokens: { use: '@tappaas/identity-token' },
      robots: { use: '@tappaas/identity-serviceaccount' },
      certificates: { use: '@tappaas/identity-mtls', config: { authorities: './clients.pem' } },
      allow: { use: './allow' },
    },
  });
  started.push(() => home.remove());
  await writePlugin(home.directory, 'allow', groupMayEverything('devs'));
  await writeCertificates(home.directory);
  await symlink(join(root, 'examples'), join(home.directory, 'examples'));
  const platform = await home.start();
  started.push(() => platform.stop());
  runner = new ExampleRunner(home, platform);
});

/** Those of the reader: an authority that the platform knows has signed one for joe. */
async function writeCertificates(directory: string): Promise<void> {
  const authority = await issueAuthority(Date.now());
  const joe = await issueClient(authority, { name: 'joe', groups: ['devs'] }, Date.now(), 3_600_000);
  await writeFile(join(directory, 'clients.pem'), authority.certificate);
  await writeFile(join(directory, 'joe.crt'), joe.certificate);
  await writeFile(join(directory, 'joe.key'), joe.key, { mode: 0o600 });
}

/** No kubeconfig gives a token that would do as well. */
const byCertificateAlone = (each: Example): Example =>
  each.code.includes('--client-certificate') ? { ...each, code: `export KUBECONFIG=/dev/null\n${each.code}` } : each;

test.after.always('the platform is stopped and its directory removed', async () => {
  for (const stop of started.toReversed()) await stop();
});

for (const page of ['README.md', 'rest.md', 'requests.md', 'graphql.md', 'authentication.md', 'access.md', 'operations.md']) {
  example(`the examples of ${page} do what the page says`, async (t) => {
    t.timeout(300_000);
    const examples = (await examplesOf(`consumers/${page}`, ['sh'])).map(byCertificateAlone);
    t.true(examples.length > 0);
    const outputs = await runner.shell(examples);
    for (const [index, each] of examples.entries()) {
      const output = outputs[index] ?? '';
      t.regex(output, expectedOf(each), each.code);
      if (each.expected.length === 0) t.notRegex(output, /"status":"Failure"|"errors":\[/, each.code);
    }
  });
}

for (const page of ['sockets.md', 'client.md']) {
  example(`the programs of ${page} do what the page says`, async (t) => {
    t.timeout(300_000);
    const programs = await examplesOf(`consumers/${page}`, ['js', 'ts']);
    t.true(programs.length > 0);
    for (const [index, each] of programs.entries()) {
      t.true(each.expected.length > 0, `it says what it prints: ${each.code}`);
      t.regex(await runner.program(each, `${page.replace('.md', '')}-${index}`), expectedOf(each), each.code);
    }
  });
}

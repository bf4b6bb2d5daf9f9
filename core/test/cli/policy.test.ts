import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import test from 'ava';
import { runCommandLine } from '../../dist/cli/command-line.js';

const root = resolve(import.meta.dirname, '../../..');

async function directory(t: { teardown(end: () => Promise<void>): void }, files: Readonly<Record<string, string>>): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'policy-test-'));
  t.teardown(() => rm(made, { recursive: true, force: true }));
  await symlink(join(root, 'node_modules'), join(made, 'node_modules'));
  for (const [name, text] of Object.entries(files)) await writeFile(join(made, name), text);
  return made;
}

async function run(cwd: string, ...words: readonly string[]) {
  let [stdout, stderr] = ['', ''];
  const code = await runCommandLine({
    arguments: words,
    env: { TAPPAAS_HOME: '/nowhere' },
    cwd,
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    nowMs: () => 0,
    sections: async () => ({}),
    startPlatform: async () => 0,
  });
  return { code, stdout, stderr };
}

const policies = `
apiVersion: platform.tappaas.dev/v1alpha1
kind: Policy
metadata: { name: no-night-deletes }
spec:
  cedar: |
    forbid (principal, action == Action::"delete", resource is Object) when { context.hour >= 20 };
`;
const expectations = (expect: string) => `
policies: [policies.yaml]
tests:
  - name: nights
    user: { name: ann, groups: [devs] }
    verb: delete
    object: { group: apps.tappaas.dev, resource: applications, namespace: shop, name: web }
    time: 2026-11-30T22:00:00Z
    expect: ${expect}
    by: [no-night-deletes]
`;

test('policies are tested without a platform, and a failed expectation is the exit code', async (t) => {
  const cwd = await directory(t, {
    'policies.yaml': policies,
    'good.yaml': expectations('Forbidden'),
    'bad.yaml': expectations('NotForbidden'),
  });
  t.deepEqual(await run(cwd, 'policy', 'test', 'good.yaml'), { code: 0, stdout: 'ok    nights\n1 passed, 0 failed\n', stderr: '' });
  const failed = await run(cwd, 'policy', 'test', 'bad.yaml');
  t.is(failed.code, 1);
  t.is(failed.stdout, 'FAIL  nights: expected NotForbidden, found Forbidden (no-night-deletes)\n0 passed, 1 failed\n');
});

test('a broken policy, a file without lists and a verb that is not there are told', async (t) => {
  const cwd = await directory(t, {
    'policies.yaml': policies.replace('forbid (', 'forbid (('),
    'tests.yaml': expectations('Forbidden'),
    'empty.yaml': 'tests: []\n',
  });
  t.regex((await run(cwd, 'policy', 'test', 'tests.yaml')).stderr, /no-night-deletes: line 1, column \d+/);
  t.regex((await run(cwd, 'policy', 'test', 'empty.yaml')).stderr, /expected two lists/);
  t.is((await run(cwd, 'policy', 'try', 'tests.yaml')).code, 64);
});

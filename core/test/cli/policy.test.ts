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
    input: () => process.stdin,
    onResize: () => {},
    nowMs: () => 0,
    sections: async () => ({}),
    audit: () => import('../../dist/telemetry/audit/offline.js'),
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
    'bad.yaml': expectations('NotForbidden').replace(/ {4}by:.*\n/, ''),
  });
  t.deepEqual(await run(cwd, 'policy', 'test', 'good.yaml'), { code: 0, stdout: 'ok    nights\n1 passed, 0 failed\n', stderr: '' });
  const failed = await run(cwd, 'policy', 'test', 'bad.yaml');
  t.is(failed.code, 1);
  t.is(failed.stdout, 'FAIL  nights: expected NotForbidden, found Forbidden (no-night-deletes)\n0 passed, 1 failed\n');
});

const shadowed = policies.replace('spec:', 'spec:\n  mode: Shadow');

test('a policy in shadow mode forbids nothing, and that it would can be expected', async (t) => {
  const cwd = await directory(t, {
    'policies.yaml': shadowed,
    'forbidden.yaml': expectations('Forbidden'),
    'shadowed.yaml': expectations('Shadowed'),
    'not-forbidden.yaml': expectations('NotForbidden').replace(/ {4}by:.*\n/, ''),
  });
  const failed = await run(cwd, 'policy', 'test', 'forbidden.yaml');
  t.is(failed.code, 1);
  t.is(failed.stdout, 'FAIL  nights: expected Forbidden, found Shadowed (no-night-deletes)\n0 passed, 1 failed\n');
  t.is((await run(cwd, 'policy', 'test', 'shadowed.yaml')).code, 0);
  t.is((await run(cwd, 'policy', 'test', 'not-forbidden.yaml')).code, 0);
});

test('a file that the platform would not take as the policy it is meant to be is refused, and tests nothing', async (t) => {
  const files: Readonly<Record<string, readonly [policies: string, message: RegExp]>> = {
    'a kind that is none': [policies.replace('kind: Policy', 'kind: policy'), /expected .*kind Policy, found .*"policy"/],
    'another version': [policies.replace('v1alpha1', 'v1'), /expected apiVersion platform\.tappaas\.dev\/v1alpha1/],
    'malformed YAML': [`${policies}  mode: [Shadow`, /policies\.yaml: .* at line \d+, column \d+/],
    'a key twice': [`${policies}  cedar: permit\n`, /policies\.yaml: Map keys must be unique at line \d+/],
    'one name twice': [`${policies}---${policies}`, /two policies called "no-night-deletes"/],
    'no policy': ['# later\n', /policies\.yaml holds no Policy/],
    'a mode that is none': [
      shadowed.replace('Shadow', 'shadow'),
      /no-night-deletes: spec\.mode: expected Enforce or Shadow, found "shadow"/,
    ],
  };
  for (const [what, [text, message]] of Object.entries(files)) {
    const cwd = await directory(t, { 'policies.yaml': text, 'tests.yaml': expectations('NotForbidden').replace(/ {4}by:.*\n/, '') });
    const { code, stdout, stderr } = await run(cwd, 'policy', 'test', 'tests.yaml');
    t.not(code, 0, what);
    t.is(stdout, '', what);
    t.regex(stderr, message, what);
  }
});

test('expectations that cannot be read are refused with the place', async (t) => {
  const good = expectations('Forbidden');
  const files: Readonly<Record<string, readonly [tests: string, message: RegExp]>> = {
    'malformed YAML': [`${good}  - name: [`, /tests\.yaml: .* at line \d+/],
    'no policies': [good.replace('[policies.yaml]', '[]'), /expected policies to test, found none/],
    'nobody who asks': [good.replace(/ {4}user:.*\n/, ''), /test "nights": expected a user with a name, found none/],
    'a mistyped word': [good.replace('expect:', 'expects:'), /test "nights": "expects" is unknown/],
    'an outcome that is none': [
      good.replace('Forbidden', 'forbidden'),
      /test "nights": expect: expected Forbidden, NotForbidden, Shadowed/,
    ],
    'a reason for nothing': [good.replace('Forbidden', 'NotForbidden'), /test "nights": by: expected a list of policies that forbid it/],
  };
  for (const [what, [text, message]] of Object.entries(files)) {
    const cwd = await directory(t, { 'policies.yaml': policies, 'tests.yaml': text });
    const { code, stderr } = await run(cwd, 'policy', 'test', 'tests.yaml');
    t.not(code, 0, what);
    t.regex(stderr, message, what);
  }
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

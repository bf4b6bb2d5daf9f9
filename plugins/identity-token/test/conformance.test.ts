import { conformance, load, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import { ApiToken } from '../dist/contract.js';
import identityToken from '../dist/index.js';

const make = () => ({
  plugin: load(identityToken, {}, { id: 'tokens' }),
  objects: [{ kind: ApiToken, object: { name: 'ci', spec: { user: 'ci', tenant: 'acme', description: 'builds' } } }],
});
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

const path = '/apis/identity.tappaas.dev/v1alpha1/apitokens';
const spec = { user: 'ci', groups: ['builders'], tenant: 'acme' };
const from = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' });

async function issue(kernel: TestKernel, name: string): Promise<string> {
  const body = JSON.stringify({ apiVersion: 'identity.tappaas.dev/v1alpha1', kind: 'ApiToken', metadata: { name }, spec });
  await kernel.http('POST', path, body);
  const { text } = await kernel.http('POST', `${path}/${name}/issue`, '{}');
  return (JSON.parse(text) as { token: string }).token;
}

const identity = () => ({
  plugin: load(identityToken, { lifetimeDays: 10 }, { id: 'tokens' }),
  good: async (kernel: TestKernel) => ({
    credentials: from(await issue(kernel, 'ci')),
    caller: { name: 'ci', groups: ['builders'], tenant: 'acme' },
  }),
  bad: async (kernel: TestKernel) => {
    const gone = await issue(kernel, 'gone');
    await kernel.http('DELETE', `${path}/gone`);
    return [from(gone), from(`tapp_${'0'.repeat(12)}_${'A'.repeat(43)}`), from('tapp_'), from(`${gone}A`)];
  },
  revoke: async (kernel: TestKernel) => void (await kernel.http('DELETE', `${path}/ci`)),
});
for (const { title, run } of conformance.authenticator(identity)) test(`as an authenticator: ${title}`, (t) => t.notThrowsAsync(run));

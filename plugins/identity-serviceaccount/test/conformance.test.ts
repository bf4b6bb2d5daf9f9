import { kubernetesHandle, type Namespace, type ServiceAccount } from '@tappaas/sdk/kubernetes';
import { conformance, load, type TestKernel } from '@tappaas/testing';
import test from 'ava';
import identityServiceaccount from '../dist/index.js';

const make = () => load(identityServiceaccount, {}, { id: 'serviceaccounts' });
for (const { title, run } of conformance.plugin(make)) test(title, (t) => t.notThrowsAsync(run));

const serviceAccounts = kubernetesHandle<ServiceAccount>('', 'ServiceAccount');
const namespaces = kubernetesHandle<Namespace>('', 'Namespace');
const from = (token: string) => ({ headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' });

async function issue(kernel: TestKernel, name: string): Promise<string> {
  if ((await kernel.resources.get(namespaces, { name: 'shop' })) === undefined)
    await kernel.resources.create(namespaces, { metadata: { name: 'shop', labels: { 'tappaas.dev/tenant': 'acme' } } });
  await kernel.resources.create(serviceAccounts, { metadata: { name, namespace: 'shop' } });
  const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest' });
  const { text } = await kernel.http('POST', `/api/v1/namespaces/shop/serviceaccounts/${name}/token`, body, {
    'content-type': 'application/json',
  });
  return (JSON.parse(text) as { status: { token: string } }).status.token;
}

const unsigned = (token: string): string => `${token.split('.').slice(0, 2).join('.')}.`;
const groups = ['system:serviceaccounts', 'system:serviceaccounts:shop'];
const identity = () => ({
  plugin: load(identityServiceaccount, {}, { id: 'serviceaccounts' }),
  good: async (kernel: TestKernel) => ({
    credentials: from(await issue(kernel, 'web')),
    caller: { name: 'system:serviceaccount:shop:web', groups, tenant: 'acme' },
  }),
  bad: async (kernel: TestKernel) => {
    const gone = await issue(kernel, 'gone');
    await kernel.resources.delete(serviceAccounts, { namespace: 'shop', name: 'gone' });
    return [from(gone), from(unsigned(gone))];
  },
  revoke: (kernel: TestKernel) => kernel.resources.delete(serviceAccounts, { namespace: 'shop', name: 'web' }),
});
for (const { title, run } of conformance.authenticator(identity)) test(`as an authenticator: ${title}`, (t) => t.notThrowsAsync(run));

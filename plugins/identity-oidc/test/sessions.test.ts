import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import { Session } from '../dist/contract.js';
import { fieldIs } from '../dist/field-selector.js';
import identityOidc from '../dist/index.js';

const settings = {
  publicUrl: '',
  issuers: [{ name: 'corp', issuer: 'https://login.example.invalid', clientId: 'tappaas' }],
} as unknown as Parameters<typeof load<typeof identityOidc>>[1];
/** More than a list was once read for. */
const manyMax = 10_050;
const hourMs = 3_600_000;

test('however many are logged in, each session is looked at when the provider has to be asked again', async (t) => {
  t.timeout(120_000);
  const kernel = await startTestKernel({ plugins: [load(identityOidc, settings, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  const nowMs = kernel.clock.nowMs();
  const at = (ms: number): string => new Date(nowMs + ms).toISOString();
  const create = (name: string, validMs: number) =>
    kernel.resources.create(Session, {
      metadata: { name },
      spec: {
        issuer: 'corp',
        subject: name,
        user: name,
        groups: [],
        cookieId: 'a'.repeat(12),
        sha256: 'b'.repeat(64),
        validUntil: at(validMs),
        expiresAt: at(12 * hourMs),
      },
    });
  for (let index = 0; index < manyMax; index += 1) await create(`oidc-${index}`, 6 * hourMs);
  await create('oidc-last', 30_000);
  await kernel.advance(15_000);
  t.is(await kernel.resources.get(Session, { name: 'oidc-last' }), undefined, 'nothing can be asked about it, so it has ended');
  t.truthy(await kernel.resources.get(Session, { name: 'oidc-0' }));
});

test('a name of the provider’s making selects itself alone', (t) => {
  t.is(fieldIs('spec.subject', 'ann'), 'spec.subject=ann');
  t.is(fieldIs('spec.subject', 'a,spec.user=b\\'), 'spec.subject=a\\,spec.user\\=b\\\\');
});

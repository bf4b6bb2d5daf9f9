import type { AuditRecorder, RouteContext } from '@tappaas/sdk';
import { load, startTestKernel } from '@tappaas/testing';
import test from 'ava';
import { Session } from '../dist/contract.js';
import identityOidc from '../dist/index.js';
import { endSurplus } from '../dist/session-bounds.js';

const hourMs = 3_600_000;

/** Sessions that are opened an hour apart, with the audit events of their ends. */
async function world(t: { teardown(close: () => unknown): void }) {
  const issuers = ['corp', 'partner'].map((name) => ({
    name,
    issuer: `https://${name}.example.invalid`,
    clientId: 'tappaas',
    sharesNames: true,
  }));
  const kernel = await startTestKernel({ plugins: [load(identityOidc, { issuers }, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  const events: string[] = [];
  const record: AuditRecorder['record'] = async ({ name, reason }) => void events.push(`${name}: ${reason}`);
  const audited = { audit: { record }, context: { asPlugin: kernel.resources } as RouteContext };
  const open = (name: string, openedAtHour: number, { subject = 'ann', issuer = 'corp' } = {}) => {
    const expiresAt = new Date(kernel.clock.nowMs() + (12 + openedAtHour) * hourMs).toISOString();
    const known = { cookieId: 'a'.repeat(12), sha256: 'b'.repeat(64), validUntil: expiresAt, expiresAt };
    return kernel.resources.create(Session, { metadata: { name }, spec: { issuer, subject, user: subject, groups: [], ...known } });
  };
  const known = async () =>
    (await Array.fromAsync(kernel.resources.list(Session, { itemsMax: 100 }))).map(({ metadata }) => metadata.name).toSorted();
  return { open, known, events, audited };
}

test('of the sessions beyond the bound the oldest end, and nobody else’s of the same name', async (t) => {
  const { open, known, events, audited } = await world(t);
  await open('second', 2);
  await open('first', 1);
  await open('third', 3);
  await open('of-bob', 0, { subject: 'bob' });
  await open('of-partner', 0, { issuer: 'partner' });
  const session = await open('new', 4);
  await endSurplus({ session, replaced: undefined, sessionsMax: 2 }, audited);
  t.deepEqual(await known(), ['new', 'of-bob', 'of-partner', 'third']);
  t.deepEqual(events, ['first: the person has logged in too often besides', 'second: the person has logged in too often besides']);
});

test('a browser that logs in again replaces its own session, which does not push out another one', async (t) => {
  const { open, known, events, audited } = await world(t);
  await open('elsewhere', 1);
  const replaced = await open('before', 2);
  const session = await open('new', 3);
  await endSurplus({ session, replaced, sessionsMax: 2 }, audited);
  t.deepEqual(await known(), ['elsewhere', 'new']);
  t.deepEqual(events, ['before: the browser has logged in again']);
});

test('a browser that logs in as somebody else ends the session that it had', async (t) => {
  const { open, known, events, audited } = await world(t);
  const replaced = await open('of-bob', 1, { subject: 'bob' });
  const session = await open('new', 2);
  await endSurplus({ session, replaced, sessionsMax: 10 }, audited);
  t.deepEqual(await known(), ['new']);
  t.deepEqual(events, ['of-bob: the browser has logged in again']);
});

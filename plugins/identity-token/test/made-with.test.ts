import type { AdmissionRequest, Caller, Context, ListQuery, Resources } from '@tappaas/sdk';
import test from 'ava';
import { checkToken, completeToken } from '../dist/admission.js';
import type { ApiToken, ApiTokenObject } from '../dist/contract.js';
import { makerOf } from '../dist/made-with.js';
import { TokenKeeper } from '../dist/reconcile-token.js';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const dayMs = 86_400_000;
const settings = { lifetimeDays: 10, lifetimeDaysMax: 100, tokensPerPersonMax: 100, expiredKeptDays: 1 };
const clock = { nowMs: () => nowMs, sleep: async () => undefined };
const at = (days: number): string => new Date(nowMs + days * dayMs).toISOString();
const short = { id: 'apitoken:u1:short', expiresAtMs: nowMs + dayMs };
const joe = (credential?: Caller['credential']): Caller => ({ name: 'joe', groups: ['devs'], ...(credential && { credential }) });
/** Resources with one token, `short`, which expires in a day. */
const asPlugin = {
  get: async (_: unknown, { name }: { name: string }) =>
    name === 'short' ? { metadata: { name, uid: 'u1' }, spec: { user: 'joe', expiresAt: at(1) } } : undefined,
} as unknown as Context['asPlugin'];

async function made(spec: Partial<ApiTokenObject['spec']>, caller: Caller, previous?: Partial<ApiTokenObject['spec']>) {
  const objectOf = (given: object) => ({ metadata: { name: 'new' }, spec: given }) as unknown as ApiTokenObject;
  const request = {
    operation: previous === undefined ? 'create' : 'update',
    object: objectOf(spec),
    ...(previous && { previous: objectOf(previous) }),
    caller,
    dryRun: false,
  } as unknown as AdmissionRequest<typeof ApiToken>;
  const object = completeToken(request, settings, clock) ?? request.object;
  const denials = await checkToken({ ...request, object }, settings, 'system:plugin:tokens', { clock, asPlugin });
  return { spec: object.spec, denials: denials.map(({ field, reason }) => `${field} ${reason}`) };
}

test('a token that is made with another one says so and ends when that one does, unless it says an earlier end', async (t) => {
  const { spec, denials } = await made({}, joe(short));
  t.deepEqual([spec.madeWith, spec.expiresAt, denials], [{ name: 'short', uid: 'u1' }, at(1), []]);
  t.deepEqual((await made({ expiresAt: at(0.5) }, joe(short))).denials, []);
  t.deepEqual((await made({ expiresAt: at(1.5) }, joe(short))).denials, ['spec.expiresAt OutlivesItsMaker']);
});

test('a token that is made with anything else is bounded by the configuration alone', async (t) => {
  for (const credential of [undefined, { id: 'session:u1', expiresAtMs: nowMs + dayMs }, { id: 'token:abc' }]) {
    const { spec, denials } = await made({}, joe(credential));
    t.deepEqual([spec.madeWith, spec.expiresAt, denials], [undefined, at(10), []]);
    t.deepEqual((await made({ expiresAt: at(101) }, joe(credential))).denials, ['spec.expiresAt LivesTooLong']);
    t.is(makerOf(joe(credential)), undefined);
  }
});

test('who acts as the plugin with its name alone writes no more than anybody else', async (t) => {
  const secret = { tokenId: '0'.repeat(12), sha256: '0'.repeat(64) };
  const stored = { user: 'ann', groups: ['ops'], withoutTenant: true, expiresAt: at(1) };
  const as = (groups: readonly string[]) => made({ ...stored, ...secret }, { name: 'system:plugin:tokens', groups }, stored);
  t.deepEqual((await as(['system:authenticated'])).denials, [
    'spec.user ExceedsRights',
    'spec.groups[0] ExceedsRights',
    'spec.sha256 WrittenByIssue',
  ]);
  t.deepEqual((await as(['system:masters'])).denials, []);
});

test('with a token all that was made with it ends, however many they are', async (t) => {
  const count = 2_500;
  const tokenOf = (name: string) =>
    ({ metadata: { name, uid: `uid of ${name}` }, spec: { user: 'joe', groups: [] } }) as unknown as ApiTokenObject;
  const ended = new Set<string>();
  const many: Partial<Resources> = {
    list: async function* (_: unknown, { itemsMax }: ListQuery) {
      for (let index = 0; index < Math.min(itemsMax, count); index += 1) yield tokenOf(`t${index}`) as never;
    },
    delete: async (_: unknown, { name }: { readonly name: string }) => void ended.add(name),
  };
  const keeper = new TokenKeeper({ ...settings, tokensPerPersonMax: 100 }, { revoked: async () => {} }, { record: async () => {} });
  await keeper.finalize(tokenOf('maker'), { asPlugin: many as Resources });
  t.is(ended.size, count);
});

test('nobody says of a token what it was made with, or makes it last longer than that later', async (t) => {
  const madeWith = { name: 'short', uid: 'u1' };
  t.deepEqual((await made({ madeWith: { name: 'other', uid: 'u2' } }, joe())).denials.slice(0, 1), ['spec.madeWith WrittenByPlatform']);
  t.deepEqual(
    (await made({ madeWith: { name: 'other', uid: 'u2' } }, joe(short))).spec.madeWith,
    madeWith,
    'what it was, whatever was said',
  );
  const stored = { user: 'joe', groups: [], madeWith, expiresAt: at(0.5) };
  t.deepEqual((await made({ ...stored, expiresAt: at(2) }, joe(), stored)).denials, ['spec.expiresAt OutlivesItsMaker']);
  t.deepEqual((await made({ ...stored, expiresAt: at(0.9) }, joe(), stored)).denials, []);
  const orphan = { ...stored, madeWith: { name: 'short', uid: 'of one that was called so before' } };
  t.deepEqual((await made({ ...orphan, expiresAt: at(0.6) }, joe(), orphan)).denials, ['spec.expiresAt OutlivesItsMaker']);
});

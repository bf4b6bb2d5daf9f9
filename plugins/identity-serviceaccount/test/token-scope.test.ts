import type { AccessScope, Identity, TokenService } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import { ownAccount } from '../dist/own-accounts.js';
import { tokenAction } from '../dist/token-request.js';

const account = { metadata: { name: 'web', namespace: 'shop', uid: 'u1' } };
const namespace = { metadata: { name: 'shop', uid: 'u2' } };
const settings = { issuers: [], reviewers: [], lifetimeSeconds: 3600, lifetimeSecondsMax: 86_400 };
const clock = { nowMs: () => 0 };
const asPlugin = { get: async ({ kind }: { readonly kind: string }) => (kind === 'Namespace' ? namespace : account) };

type Claims = Readonly<Record<string, unknown>>;

/** The claims that are signed for a caller whose credential has this scope. */
async function claimsFor(scope?: AccessScope): Promise<Claims> {
  let signed: Claims = {};
  const tokens = {
    issuer: async () => 'https://localhost',
    sign: async (claims: Claims) => {
      signed = claims;
      return { token: 'a.b.c', expiresAtMs: 0 };
    },
  } as unknown as TokenService;
  const caller = { name: 'ci', groups: [], ...(scope && { scope }) };
  const call = { object: account, input: {}, dryRun: false };
  await tokenAction(settings, tokens).handle(call as never, { caller, clock, asPlugin } as never);
  return signed;
}

/** The identity of a token with these claims. */
function identityOf(claims: Claims): Promise<Identity> {
  const tokens = { verify: async () => ({ iss: '', exp: 1, ...claims }) } as unknown as TokenService;
  return ownAccount('a.b.c', ['https://localhost'], tokens, { asPlugin: asPlugin as never });
}

const keeps = async (t: ExecutionContext, scope?: AccessScope) =>
  t.deepEqual((await identityOf(JSON.parse(JSON.stringify(await claimsFor(scope))) as Claims)).caller.scope, scope);

test('a token that is requested with a narrowed credential is no wider', async (t) => {
  await keeps(t, { namespaces: ['shop'], verbs: ['get', 'create'] });
  await keeps(t, { namespaces: ['shop'] });
  await keeps(t, { verbs: ['create'] });
});

test('a scope that is good for nothing stays good for nothing', (t) => keeps(t, { namespaces: [], verbs: [] }));

test('a token that is requested with a credential without a scope has none', async (t) => {
  await keeps(t);
  t.false('scope' in (await identityOf(await claimsFor())).caller);
});

test('a scope of another form is refused, not read as none', async (t) => {
  const claims = await claimsFor();
  for (const scope of [null, 'shop', [], 7, { namespaces: 'shop' }, { verbs: [7] }, { namespaces: null }, { paths: ['/a'] }]) {
    const refused = identityOf({ ...claims, 'tappaas.dev/scope': scope });
    await t.throwsAsync(refused, { code: 'TAP_CREDENTIAL_INVALID', message: /tappaas\.dev\/scope/ }, JSON.stringify(scope));
  }
});

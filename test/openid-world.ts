/** A platform whose people log in at a real OpenID provider. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Browser, logInAt, type Page } from './browser.ts';
import { client, startOpenIdProvider, type OpenIdProvider } from './openid-provider.ts';
import { freePort } from './ports.ts';
import { platformHome, storeOnly, type PlatformHome, type PlatformProcess } from './platform-process.ts';

export interface World {
  readonly home: PlatformHome;
  readonly platform: PlatformProcess;
  readonly provider: OpenIdProvider;
  /** A second provider, if requested: its users may have the same names. */
  readonly partner: OpenIdProvider | undefined;
  readonly url: string;
  readonly browser: () => Browser;
}

/**
 * `settings` are further ones of the plugin; `hasPartner`: people of another provider come, too, under names that begin with `partner:`, with
 * `ofPartner` as its further settings.
 */
export async function world(t: ExecutionContext, settings: object = {}, hasPartner = false, ofPartner: object = {}): Promise<World> {
  t.timeout(5 * 60_000);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const provider = await startOpenIdProvider(url, 'oidc');
  t.teardown(() => provider.close());
  provider.people.set('ann', { email: 'ann@example.com', groups: ['team-a', 'developers'], tenant: 'acme' });
  const partner = hasPartner ? await startOpenIdProvider(url, 'oidc', 'callback/partner') : undefined;
  t.teardown(() => partner?.close());
  partner?.people.set('ann', { email: 'ann@example.com', groups: ['team-a'] });
  const clientOf = ({ issuer }: OpenIdProvider) => ({
    issuer,
    clientId: client.id,
    clientSecret: { file: './client-secret' },
    cliClientId: client.cli,
  });
  const prefixes = { userPrefix: 'partner:', groupsPrefix: 'partner:' };
  const home = await platformHome({
    api: { port },
    plugins: {
      ...storeOnly,
      metrics: null,
      audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } },
      oidc: {
        use: '@tappaas/identity-oidc',
        config: {
          publicUrl: url,
          ...settings,
          issuers: [
            {
              ...clientOf(provider),
              name: 'corp',
              certificateAuthorityFile: './provider.pem',
              claims: { user: 'email', groups: 'groups', groupsPrefix: 'corp:', tenant: 'tenant' },
            },
            ...(partner === undefined
              ? []
              : [
                  {
                    ...clientOf(partner),
                    name: 'partner',
                    certificateAuthorityFile: './partner.pem',
                    claims: { user: 'email', groups: 'groups', ...prefixes },
                    ...ofPartner,
                  },
                ]),
          ],
        },
      },
    },
  });
  t.teardown(() => home.remove());
  await writeFile(join(home.directory, 'client-secret'), client.secret, { mode: 0o600 });
  await writeFile(join(home.directory, 'provider.pem'), provider.certificateAuthority);
  if (partner !== undefined) await writeFile(join(home.directory, 'partner.pem'), partner.certificateAuthority);
  const platform = await home.start();
  t.teardown(() => platform.stop());
  const authority = await readFile(join(home.directory, 'data/ca.pem'), 'utf8');
  const all = partner === undefined ? [provider] : [provider, partner];
  for (const each of all) each.trust(authority);
  const trusted = [authority, ...all.map(({ certificateAuthority }) => certificateAuthority)];
  return { home, platform, provider, partner, url, browser: () => new Browser(trusted) };
}

export async function logIn({ url }: World, browser: Browser, name = 'ann', issuer = 'corp'): Promise<Page> {
  return logInAt(browser, await browser.get(`${url}/plugins/oidc/login?issuer=${issuer}`), name);
}

export interface Session {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly user: string; readonly validUntil: string };
}

/** What audit knows of the sessions of ann: verb, why, and the plugin that says so; the newest event first. */
export async function auditedSessions({ platform }: World): Promise<readonly (readonly (string | undefined)[])[]> {
  const answer = await platform.api('GET', '/audit?resource=sessions&user=ann@example.com&tenant=acme');
  const { items } = answer.json<{ items: readonly { event: { verb: string; annotations: Readonly<Record<string, string>> } }[] }>();
  return items.map(({ event: { verb, annotations } }) => [
    verb,
    annotations['authorization.k8s.io/reason'],
    annotations['tappaas.dev/plugin'],
  ]);
}

export const sessionsPath = '/apis/identity.tappaas.dev/v1alpha1/sessions';

export async function sessionsOf({ platform }: World): Promise<readonly Session[]> {
  const answer = await platform.api('GET', sessionsPath);
  return answer.json<{ items: readonly Session[] }>().items;
}

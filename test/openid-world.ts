/** A platform whose people log in at a real OpenID provider. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ExecutionContext } from 'ava';
import { Browser, logInAt, type Page } from './browser.ts';
import { client, startOpenIdProvider, type OpenIdProvider } from './openid-provider.ts';
import { freePort, platformHome, type PlatformHome, type PlatformProcess } from './platform-process.ts';

const bare = { local: null, standard: null, source: null, builds: null, applications: null, resources: null, metrics: null };

export interface World {
  readonly home: PlatformHome;
  readonly platform: PlatformProcess;
  readonly provider: OpenIdProvider;
  readonly url: string;
  readonly browser: () => Browser;
}

/** `settings` are further ones of the plugin. */
export async function world(t: ExecutionContext, settings: object = {}): Promise<World> {
  t.timeout(3 * 60_000);
  const port = await freePort();
  const url = `https://127.0.0.1:${port}`;
  const provider = await startOpenIdProvider(url, 'oidc');
  provider.people.set('ann', { email: 'ann@example.com', groups: ['team-a', 'developers'], tenant: 'acme' });
  const home = await platformHome({
    api: { port },
    plugins: {
      ...bare,
      audit: { use: '@tappaas/telemetry-audit-file', config: { directory: './data/audit' } },
      oidc: {
        use: '@tappaas/identity-oidc',
        config: {
          publicUrl: url,
          ...settings,
          issuers: [
            {
              name: 'corp',
              issuer: provider.issuer,
              clientId: client.id,
              clientSecret: { file: './client-secret' },
              cliClientId: client.cli,
              certificateAuthorityFile: './provider.pem',
              claims: { user: 'email', groups: 'groups', groupsPrefix: 'corp:', tenant: 'tenant' },
            },
          ],
        },
      },
    },
  });
  await writeFile(join(home.directory, 'client-secret'), client.secret, { mode: 0o600 });
  await writeFile(join(home.directory, 'provider.pem'), provider.certificateAuthority);
  const platform = await home.start();
  t.teardown(async () => {
    await platform.stop();
    await provider.close();
    await home.remove();
  });
  const authority = await readFile(join(home.directory, 'data/ca.pem'), 'utf8');
  provider.trust(authority);
  return { home, platform, provider, url, browser: () => new Browser([authority, provider.certificateAuthority]) };
}

export async function logIn({ url }: World, browser: Browser, name = 'ann'): Promise<Page> {
  return logInAt(browser, await browser.get(`${url}/plugins/oidc/login?issuer=corp`), name);
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

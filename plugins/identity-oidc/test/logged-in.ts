/** Fixture: ann of corp and ann of partner are logged in, and their providers can send logout tokens. */
import type { AuditRecorder, HttpRequest, RouteContext } from '@tappaas/sdk';
import { load, startTestKernel } from '@tappaas/testing';
import type { SigningKey } from '../../../core/test/identity/tokens/issuer-server.ts';
import { Session } from '../dist/contract.js';
import identityOidc from '../dist/index.js';
import { backChannelLogout, type LogoutParts } from '../dist/logout.js';
import { clock, type World } from './named-providers.ts';

export const logoutEvents = { 'http://schemas.openid.net/event/backchannel-logout': {} };
const nothing: AuditRecorder['record'] = async () => undefined;

export async function loggedIn(t: { teardown(close: () => unknown): void }, { corp, partner, providers, tokens }: World) {
  const issuers = [corp, partner].map(({ provider: { settings } }) => ({
    name: settings.name,
    issuer: settings.issuer,
    clientId: 'x',
    claims: { userPrefix: `${settings.name}:`, groupsPrefix: `${settings.name}:` },
  }));
  const kernel = await startTestKernel({ plugins: [load(identityOidc, { issuers }, { id: 'oidc' })] });
  t.teardown(() => kernel.stop());
  const at = new Date(kernel.clock.nowMs() + 3_600_000).toISOString();
  for (const [index, issuer] of ['corp', 'partner'].entries()) {
    const kept = { cookieId: `${index}`.repeat(12), sha256: `${index}`.repeat(64), validUntil: at, expiresAt: at };
    await kernel.resources.create(Session, {
      metadata: { name: `of-${issuer}` },
      spec: { issuer, subject: 'ann', sid: 'one', user: `${issuer}:ann`, groups: [], ...kept },
    });
  }
  const kept = new Map<string, unknown>();
  const state = { get: async (key: string) => kept.get(key), set: async (key: string, value: unknown) => void kept.set(key, value) };
  const context = { clock, asPlugin: kernel.resources, state, requestId: 'r' } as unknown as RouteContext;
  const parts = { providers, tokens, audit: { record: nothing } } as unknown as LogoutParts;
  return {
    /** Names of the open sessions. */
    known: async () => (await Array.fromAsync(kernel.resources.list(Session, { itemsMax: 10 }))).map(({ metadata }) => metadata.name),
    /** Sends a logout token with these claims, including the logout event unless the claims contain others. */
    notify: async (by: SigningKey, claims: object) => {
      const token = await by.sign({ events: logoutEvents, ...claims });
      return backChannelLogout({ body: Buffer.from(`logout_token=${token}`) } as unknown as HttpRequest, context, parts);
    },
  };
}

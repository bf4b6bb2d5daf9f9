import { definePlugin, families, hooks, platformServices, type HttpAnswer } from '@tappaas/sdk';
import { accountPage, pageFiles } from './account-page.js';
import { checkWriter } from './admission.js';
import { oidcAuthenticator } from './authenticator.js';
import { beginLogin, finishLogin, type BrowserLoginParts } from './browser-login.js';
import { Session } from './contract.js';
import { cookieValue, isOfThisSite, sessionCookie } from './cookies.js';
import { backChannelLogout, logOut } from './logout.js';
import { Providers } from './providers.js';
import { endSession } from './recorded-sessions.js';
import { refreshSessions } from './refresh.js';
import { credentialIdOf, identityOf, sessionOf } from './sessions.js';
import { settingsSchema } from './settings.js';

const refreshEveryMs = 15_000;
const nothingMax = 0;
const beginning = '/login';
const page = `/${accountPage}` as const;

/** People and programs of OpenID providers: log-in for browsers, tokens of providers as bearer tokens, sessions that can be ended. */
export default definePlugin({
  id: 'identity-oidc',
  stability: 'beta',
  config: settingsSchema,
  example: {
    publicUrl: 'https://paas.example.com',
    issuers: [
      {
        name: 'corp',
        issuer: 'https://login.example.com',
        clientId: 'tappaas',
        cliClientId: 'tappaas-cli',
        audiences: [],
        scopes: ['openid', 'profile', 'email', 'offline_access'],
        certificateAuthorityFile: '',
        allowedAddresses: [],
        tenants: [],
        sharesNames: false,
        claims: {
          user: 'email',
          acceptUnverifiedEmail: false,
          userPrefix: '',
          groups: 'groups',
          groupsPrefix: 'corp:',
          tenant: '',
          groupsWithoutTenant: [],
        },
      },
    ],
  },
  needs: {
    tokens: platformServices.tokens,
    credentials: platformServices.credentials,
    sealing: platformServices.sealing,
    audit: platformServices.audit,
  },
  permissions: { resources: [{ kind: Session, verbs: ['get', 'list', 'watch', 'create', 'update', 'delete'] }] },
  setup(host, settings, { tokens, credentials, sealing, audit }) {
    let opened: Providers | undefined;
    const providers = (): Providers => opened ?? new Providers([]);
    const parts = (): BrowserLoginParts => ({ instance: host.id, settings, providers: providers(), tokens, sealing, audit });
    host.kind(Session);
    host.tap(hooks.admission.validate, { kinds: [Session] }, (request) => checkWriter(request));
    host.provide(
      families.authenticator,
      async ({ clock }) => {
        opened = await Providers.open(settings, () => clock.nowMs());
        return oidcAuthenticator(opened, tokens);
      },
      () => opened?.close(),
    );
    host.controller({
      kind: Session,
      async reconcile(session, context) {
        const leftMs = Date.parse(session.spec.expiresAt) - context.clock.nowMs();
        if (leftMs > 0) return { againAfterMs: leftMs };
        await endSession(session, 'its time is over', { audit, context });
        return undefined;
      },
      async finalize(session) {
        await credentials.revoked([credentialIdOf(session)]);
        return undefined;
      },
    });
    host.task({
      name: 'refresh',
      on: 'leader',
      everyMs: refreshEveryMs,
      run: (context) => refreshSessions(parts(), context),
    });
    host.http({
      auth: 'self',
      bodyBytesMax: nothingMax,
      method: 'GET',
      path: '/issuers',
      description: 'The providers, and what the command line needs to log in to them.',
      handle: async () =>
        json(200, {
          issuers: providers().all.map(({ settings: { name, issuer, cliClientId, scopes } }) => ({
            name,
            issuer,
            clientId: cliClientId,
            scopes,
          })),
        }),
    });
    host.http({
      auth: 'self',
      bodyBytesMax: nothingMax,
      method: 'GET',
      path: '/login',
      beginAgainAt: beginning,
      description: 'Sends a browser to a provider.',
      handle: (request) => beginLogin(request, parts()),
    });
    host.http({
      auth: 'self',
      bodyBytesMax: nothingMax,
      method: 'GET',
      path: '/callback',
      beginAgainAt: beginning,
      description: 'Where the first provider sends the browser back to.',
      handle: (request, context) => finishLogin(request, context, parts()),
    });
    host.http({
      auth: 'self',
      bodyBytesMax: nothingMax,
      method: 'GET',
      path: '/callback/:issuer',
      beginAgainAt: `${beginning}?issuer=:issuer`,
      description: 'Where every provider but the first sends the browser back to.',
      handle: (request, context) => finishLogin(request, context, parts()),
    });
    for (const { name, answer } of pageFiles) {
      host.http({
        auth: 'self',
        bodyBytesMax: nothingMax,
        method: 'GET',
        path: `/${name}`,
        beginAgainAt: page,
        description: `The file ${name} of the page that shows the logged-in user and logs out.`,
        handle: answer,
      });
    }
    host.http({
      auth: 'self',
      bodyBytesMax: nothingMax,
      method: 'GET',
      path: '/session',
      description: 'The user that this browser is logged in as.',
      async handle({ headers }, context) {
        const cookie = cookieValue(headers['cookie'], sessionCookie);
        const session = cookie === undefined || !isOfThisSite(headers) ? undefined : await sessionOf(cookie, context);
        if (session === undefined) return json(401, { message: `nobody is logged in; begin at /plugins/${host.id}/login` });
        const { caller, expiresAtMs = 0 } = identityOf(session, context.clock.nowMs());
        return json(200, { ...caller, expiresAt: new Date(expiresAtMs).toISOString() });
      },
    });
    host.http({
      auth: 'self',
      bodyBytesMax: nothingMax,
      method: 'POST',
      path: '/logout',
      beginAgainAt: page,
      description: 'Ends this browser’s session, here and at the provider.',
      handle: (request, context) => logOut(request, context, parts()),
    });
    host.http({
      auth: 'self',
      method: 'POST',
      path: '/backchannel-logout',
      bodyBytesMax: 65_536,
      description: 'Back-channel logout: providers report here that a user has logged out.',
      handle: (request, context) => backChannelLogout(request, context, parts()),
    });
  },
});

function json(status: number, value: object): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(value) };
}

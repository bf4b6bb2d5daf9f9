import { definePlugin, families, hooks, platformServices } from '@tappaas/sdk';
import { checkWriter } from './admission.js';
import { oidcAuthenticator } from './authenticator.js';
import type { BrowserLoginParts } from './browser-login.js';
import { Session } from './contract.js';
import { Providers } from './providers.js';
import { refreshSessions } from './refresh.js';
import { routes } from './routes.js';
import { sessionController } from './session-controller.js';
import { settingsSchema } from './settings.js';

const refreshEveryMs = 15_000;

/** Authenticates users and programs of OpenID providers: browser login, bearer tokens of providers, sessions that can be ended. */
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
    const parts = (): BrowserLoginParts => ({
      instance: host.id,
      settings,
      providers: opened ?? new Providers([]),
      tokens,
      sealing,
      audit,
    });
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
    host.controller(sessionController({ audit, credentials }));
    host.task({
      name: 'refresh',
      on: 'leader',
      everyMs: refreshEveryMs,
      run: (context) => refreshSessions(parts(), context),
    });
    for (const route of routes(parts)) host.http(route);
  },
});

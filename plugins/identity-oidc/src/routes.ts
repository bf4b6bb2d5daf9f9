import type { HttpAnswer, Route } from '@tappaas/sdk';
import { accountPage, pageFiles } from './account-page.js';
import { beginLogin, finishLogin, type BrowserLoginParts } from './browser-login.js';
import { cookieValue, isOfThisSite, sessionCookie } from './cookies.js';
import { backChannelLogout, logOut } from './logout.js';
import { identityOf, sessionOf } from './sessions.js';

const beginning = '/login';
const page = `/${accountPage}` as const;
const logoutTokenBytesMax = 65_536;

type OpenRoute = Extract<Route, { readonly auth: 'self' }>;
/** All routes here authenticate by themselves, and take no body by default. */
type OwnRoute = Omit<OpenRoute, 'auth' | 'bodyBytesMax'> & Partial<Pick<OpenRoute, 'bodyBytesMax'>>;

/** The plugin's routes: login, account, logout. `parts` is called for each request, since the providers are opened later. */
export function routes(parts: () => BrowserLoginParts): readonly Route[] {
  const own = [...loginRoutes(parts), ...accountRoutes(parts), ...logoutRoutes(parts)];
  return own.map((route) => ({ bodyBytesMax: 0, ...route, auth: 'self' }));
}

function loginRoutes(parts: () => BrowserLoginParts): readonly OwnRoute[] {
  return [
    {
      method: 'GET',
      path: '/issuers',
      description: 'The providers, and what the command line needs to log in to them.',
      handle: async () =>
        json(200, {
          issuers: parts().providers.all.map(({ settings: { name, issuer, cliClientId, scopes } }) => ({
            name,
            issuer,
            clientId: cliClientId,
            scopes,
          })),
        }),
    },
    {
      method: 'GET',
      path: beginning,
      beginAgainAt: beginning,
      description: 'Sends a browser to a provider.',
      handle: (request) => beginLogin(request, parts()),
    },
    {
      method: 'GET',
      path: '/callback',
      beginAgainAt: beginning,
      description: 'Where the first provider sends the browser back to.',
      handle: (request, context) => finishLogin(request, context, parts()),
    },
    {
      method: 'GET',
      path: '/callback/:issuer',
      beginAgainAt: `${beginning}?issuer=:issuer`,
      description: 'Where every provider but the first sends the browser back to.',
      handle: (request, context) => finishLogin(request, context, parts()),
    },
  ];
}

function accountRoutes(parts: () => BrowserLoginParts): readonly OwnRoute[] {
  const files = pageFiles.map(({ name, answer }): OwnRoute => ({
    method: 'GET',
    path: `/${name}`,
    beginAgainAt: page,
    description: `The file ${name} of the page that shows the logged-in user and logs out.`,
    handle: answer,
  }));
  return [
    ...files,
    {
      method: 'GET',
      path: '/session',
      description: 'The user that this browser is logged in as.',
      async handle({ headers }, context) {
        const cookie = cookieValue(headers['cookie'], sessionCookie);
        const session = cookie === undefined || !isOfThisSite(headers) ? undefined : await sessionOf(cookie, context);
        if (session === undefined) {
          return json(401, { message: `you are not logged in; begin at /plugins/${parts().instance}${beginning}` });
        }
        const { caller, expiresAtMs = 0 } = identityOf(session, context.clock.nowMs());
        return json(200, { ...caller, expiresAt: new Date(expiresAtMs).toISOString() });
      },
    },
  ];
}

function logoutRoutes(parts: () => BrowserLoginParts): readonly OwnRoute[] {
  return [
    {
      method: 'POST',
      path: '/logout',
      beginAgainAt: page,
      description: 'Ends this browser’s session, here and at the provider.',
      handle: (request, context) => logOut(request, context, parts()),
    },
    {
      method: 'POST',
      path: '/backchannel-logout',
      bodyBytesMax: logoutTokenBytesMax,
      description: 'Back-channel logout: providers report here that a user has logged out.',
      handle: (request, context) => backChannelLogout(request, context, parts()),
    },
  ];
}

function json(status: number, value: object): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', 'cache-control': 'no-store' }, body: JSON.stringify(value) };
}

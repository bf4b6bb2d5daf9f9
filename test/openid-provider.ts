/** A real OpenID provider on loopback, encrypted, with people who can log in. */
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';
import { issueAuthority, issueServer } from '../core/dist/api/certificates/certificate-issuer.js';

/** What the provider says of a person. */
export interface Person {
  readonly email: string;
  readonly groups: readonly string[];
  readonly tenant?: string;
}

export interface OpenIdProvider {
  readonly issuer: string;
  readonly certificateAuthority: string;
  /** By login name; a user who is removed can no longer refresh. */
  readonly people: Map<string, Person>;
  /** Every token that it has granted so far. */
  readonly granted: readonly string[];
  /** How long a code for another device can be confirmed; for those that come next. */
  deviceCodeSeconds: number;
  /** Lets it call servers with certificates of this authority. */
  trust(certificateAuthority: string): void;
  close(): Promise<void>;
}

export const client = { id: 'tappaas', secret: 'a secret of the client, 32 characters', cli: 'tappaas-cli' } as const;

/** `publicUrl`: of the platform whose people log in; `callback`: where they come back to. */
export async function startOpenIdProvider(publicUrl: string, instance: string, callback = 'callback'): Promise<OpenIdProvider> {
  const authority = await issueAuthority(Date.now());
  const { certificate, key } = await issueServer(authority, ['localhost', '127.0.0.1'], Date.now());
  const server: Server = createServer({ cert: certificate, key });
  await new Promise<void>((done) => void server.listen(0, '127.0.0.1', done));
  const issuer = `https://localhost:${(server.address() as AddressInfo).port}`;
  const people = new Map<string, Person>();
  const trusted: string[] = [];
  const lives = { deviceCodeSeconds: 600 };
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: client.id,
        client_secret: client.secret,
        redirect_uris: [`${publicUrl}/plugins/${instance}/${callback}`],
        grant_types: ['authorization_code', 'refresh_token'],
        backchannel_logout_uri: `${publicUrl}/plugins/${instance}/backchannel-logout`,
        backchannel_logout_session_required: true,
      },
      {
        client_id: client.cli,
        application_type: 'native',
        token_endpoint_auth_method: 'none',
        redirect_uris: ['http://127.0.0.1/callback'],
        grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
      },
    ],
    claims: { openid: ['sub'], profile: ['groups', 'tenant'], email: ['email', 'email_verified'] },
    conformIdTokenClaims: false,
    features: { deviceFlow: { enabled: true }, backchannelLogout: { enabled: true }, devInteractions: { enabled: true } },
    findAccount: (_, id) => {
      const person = people.get(id);
      if (person === undefined) return undefined;
      return { accountId: id, claims: () => ({ sub: id, email_verified: true, ...person }) };
    },
    cookies: { keys: ['a key of the provider'] },
    ttl: {
      AccessToken: 61,
      IdToken: 300,
      Grant: 3600,
      Session: 3600,
      Interaction: 600,
      RefreshToken: 3600,
      DeviceCode: () => lives.deviceCodeSeconds,
    },
    // Its calls go to the platform, whose authority it has to trust.
    fetch: (
      url: string | URL,
      options: { readonly method?: string; readonly headers?: object; readonly body?: string | URLSearchParams },
    ) => fetchTrusting(trusted, url, options),
  });
  const granted: string[] = [];
  provider.on('grant.success', ({ body }) => {
    const { access_token: access, refresh_token: refresh, id_token: id } = body as Readonly<Record<string, string | undefined>>;
    granted.push(...[access, refresh, id].filter((token) => token !== undefined));
  });
  server.on('request', provider.callback());
  return Object.assign(lives, {
    issuer,
    certificateAuthority: authority.certificate,
    people,
    granted,
    trust: (certificateAuthority: string) => void trusted.push(certificateAuthority),
    close: () =>
      new Promise<void>((done) => {
        server.closeAllConnections();
        server.close(() => done());
      }),
  });
}

function fetchTrusting(
  authorities: readonly string[],
  url: string | URL,
  { method = 'GET', headers = {}, body }: { readonly method?: string; readonly headers?: object; readonly body?: string | URLSearchParams },
): Promise<Response> {
  return new Promise((done, fail) => {
    const sent = Object.fromEntries(new Headers(headers as Record<string, string>));
    const outgoing = request(url, { method, headers: sent, ca: [...authorities], timeout: 5_000 }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      answer.on('error', fail);
      answer.on('end', () => done(new Response(text === '' ? null : text, { status: answer.statusCode ?? 500 })));
    });
    outgoing.on('error', fail);
    outgoing.end(body?.toString());
  });
}

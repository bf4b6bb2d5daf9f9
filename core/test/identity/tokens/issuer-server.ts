import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTPayload } from 'jose';
import { issueAuthority, issueServer } from '../../../dist/api/certificates/certificate-issuer.js';

/** Somebody who issues tokens, with a real https server for discovery and keys. */
export interface IssuerServer {
  readonly url: string;
  readonly authority: string;
  /** Paths that were requested. */
  readonly requestedPaths: string[];
  /** Published keys; change them to rotate. */
  readonly keys: JWK[];
  /** Answers instead of keys and discovery. */
  answer:
    | ((
        path: string,
      ) => { readonly status: number; readonly body: string; readonly headers?: Readonly<Record<string, string>> } | undefined)
    | undefined;
  /** Makes a key pair, published or not. */
  makeKey(kid: string, algorithm?: string, isPublished?: boolean): Promise<SigningKey>;
  close(): Promise<void>;
}

export interface SigningKey {
  readonly kid: string;
  readonly algorithm: string;
  readonly publicJwk: JWK;
  sign(claims: JWTPayload, header?: object): Promise<string>;
}

export async function startIssuer(): Promise<IssuerServer> {
  const authority = await issueAuthority(Date.now());
  const { certificate, key } = await issueServer(authority, ['localhost', '127.0.0.1'], Date.now());
  const requestedPaths: string[] = [];
  const keys: JWK[] = [];
  const server: Server = createServer({ cert: certificate, key }, (request, response) => {
    const path = request.url ?? '';
    requestedPaths.push(path);
    const other = issuer.answer?.(path);
    const body =
      path === '/.well-known/openid-configuration'
        ? { issuer: issuer.url, jwks_uri: `${issuer.url}/keys` }
        : path === '/keys'
          ? { keys }
          : undefined;
    response.writeHead(other?.status ?? (body === undefined ? 404 : 200), { 'content-type': 'application/json', ...other?.headers });
    response.end(other?.body ?? JSON.stringify(body ?? {}));
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const issuer: IssuerServer = {
    url: `https://localhost:${(server.address() as AddressInfo).port}`,
    authority: authority.certificate,
    requestedPaths,
    keys,
    answer: undefined,
    async makeKey(kid, algorithm = 'ES256', isPublished = true) {
      const made = await signingKey(kid, algorithm);
      if (isPublished) keys.push(made.publicJwk);
      return made;
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
  return issuer;
}

export async function signingKey(kid: string, algorithm: string): Promise<SigningKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true });
  const publicJwk: JWK = { ...(await exportJWK(pair.publicKey)), kid, alg: algorithm, use: 'sig' };
  return {
    kid,
    algorithm,
    publicJwk,
    sign: (claims, header = {}) => new SignJWT(claims).setProtectedHeader({ alg: algorithm, kid, ...header }).sign(pair.privateKey),
  };
}

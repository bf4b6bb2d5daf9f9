import { CliError } from './cli-error.js';
import { exitCodes } from './command.js';
import type { Connection, OpenIdLogin } from './connection.js';
import { readLogin, writeLogin } from './login-file.js';
import { withLoginLock } from './login-lock.js';
import type { Granted } from './openid-login.js';
import type { Terminal } from './terminal.js';

/** Minimum remaining lifetime of a token, because a request may take that long. */
const renewedBeforeMs = 60_000;

/** A stored login that an OpenID provider granted. */
export type GrantedLogin = Connection & { readonly openid: OpenIdLogin };

/** Requests the next token from the provider. */
export type Renew = (login: OpenIdLogin) => Promise<Granted>;

/**
 * The token of a login at an OpenID provider, renewed before it expires, however long a command runs.
 *
 * Providers that rotate refresh tokens treat a reused one as stolen and end the whole login. So commands renew one at a time, and each
 * first checks whether another one has stored the next token.
 *
 * @source RFC 9700, section 4.14.2
 */
export class GrantedToken {
  readonly #terminal: Pick<Terminal, 'env' | 'nowMs'>;
  readonly #renew: Renew;
  #login: GrantedLogin;
  #next: Promise<string> | undefined;

  constructor(terminal: Pick<Terminal, 'env' | 'nowMs'>, login: GrantedLogin, renew: Renew) {
    this.#terminal = terminal;
    this.#login = login;
    this.#renew = renew;
  }

  /** Returns a currently valid token. @throws CliError */
  now(): string | Promise<string> {
    if (!this.#isEnding(this.#login)) return this.#login.token;
    return (this.#next ??= this.#replace().finally(() => (this.#next = undefined)));
  }

  /**
   * As {@link now}, for work that continues across broken connections: an unreachable provider is asked again later.
   *
   * @throws CliError, UnreachableError
   */
  async later(): Promise<string> {
    try {
      return await this.now();
    } catch (error) {
      if (!(error instanceof CliError) || error.exitCode !== exitCodes.unavailable) throw error;
      const { token, openid } = this.#login;
      if (openid.expiresAtMs > this.#terminal.nowMs()) return token;
      const { UnreachableError } = await import('@tappaas/client');
      throw new UnreachableError('unreachable', openid.issuer, error.message, error);
    }
  }

  /** A login without a refresh token cannot be renewed. */
  #isEnding({ openid }: GrantedLogin): boolean {
    return openid.refreshToken !== '' && openid.expiresAtMs - this.#terminal.nowMs() <= renewedBeforeMs;
  }

  #replace(): Promise<string> {
    const { env } = this.#terminal;
    return withLoginLock(env, async () => {
      const stored = await readLogin(env);
      const isOurs = stored !== undefined && isSameLogin(stored, this.#login);
      if (isOurs) this.#login = stored;
      if (!this.#isEnding(this.#login)) return this.#login.token;
      this.#login = { ...this.#login, ...(await this.#renew(this.#login.openid)) };
      // Keep what a logout or another login has stored meanwhile; both wait for this lock.
      if (isOurs) await writeLogin(env, this.#login);
      return this.#login.token;
    });
  }
}

function isSameLogin(stored: Connection, { server, openid }: GrantedLogin): stored is GrantedLogin {
  return stored.server === server && stored.openid?.issuer === openid.issuer && stored.openid.clientId === openid.clientId;
}

/** Where the platform is and who asks. */
export interface Connection {
  readonly server: string;
  readonly token: string;
  /** PEM; absent: the system's authorities. */
  readonly certificateAuthority?: string;
  /** How the token was come by, when an OpenID provider granted it: the next one is got the same way. */
  readonly openid?: OpenIdLogin;
}

/** A log-in at an OpenID provider. */
export interface OpenIdLogin {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Empty: the provider gave none, so a person logs in again when the token has expired. */
  readonly refreshToken: string;
  /** When the token expires. */
  readonly expiresAtMs: number;
}

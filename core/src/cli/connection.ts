/** Address of the platform, and credentials. */
export interface Connection {
  readonly server: string;
  readonly token: string;
  /** PEM; absent: the certificate authorities of the system. */
  readonly certificateAuthority?: string;
  /** How an OpenID provider granted the token, if it did; used to obtain the next one. */
  readonly openid?: OpenIdLogin;
}

/** A login at an OpenID provider. */
export interface OpenIdLogin {
  readonly issuer: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  /** Empty if the provider issued none; then the user must log in again when the token has expired. */
  readonly refreshToken: string;
  /** When the token expires. */
  readonly expiresAtMs: number;
}

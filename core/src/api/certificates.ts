/** What a TLS listener needs, as PEM. */
export interface TlsMaterial {
  readonly certificate: string;
  readonly key: string;
}

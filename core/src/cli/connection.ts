/** Where the platform is and who asks. */
export interface Connection {
  readonly server: string;
  readonly token: string;
  /** PEM; absent: the system's authorities. */
  readonly certificateAuthority?: string;
}

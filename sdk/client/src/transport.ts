/** One request as a transport sends it. */
export interface TransportRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal: AbortSignal;
}

/** The head of an answer, and its body as it comes; leaving the body unread ends the connection. */
export interface TransportAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** What carries requests: Node's own client with a certificate authority, or what browsers have. */
export interface Transport {
  /** @throws whatever the platform throws; its `code`, where it has one, says why */
  request(request: TransportRequest): Promise<TransportAnswer>;
  /** How socket.io's client connects. */
  readonly roomOptions: Readonly<Record<string, unknown>>;
  /** Ends idle connections. */
  close(): void;
}

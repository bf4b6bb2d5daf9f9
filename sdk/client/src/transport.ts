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

/** As much of a WebSocket as is used; both Node's library and browsers have it. */
export interface ClientSocket {
  addEventListener(name: 'open', heard: () => void): void;
  addEventListener(name: 'message', heard: (event: { readonly data: unknown }) => void): void;
  addEventListener(name: 'error', heard: (event: { readonly error?: unknown }) => void): void;
  addEventListener(name: 'close', heard: (event: { readonly code: number; readonly reason: string }) => void): void;
  send(message: string | Uint8Array<ArrayBuffer>): void;
  close(code: number): void;
  /** What has been said and is not sent yet, bytes. */
  readonly bufferedAmount: number;
  /** Reads no further, for a while; browsers cannot. */
  pause?(): void;
  resume?(): void;
}

/** What carries requests: Node's own client with a certificate authority, or what browsers have. */
export interface Transport {
  /** @throws whatever the platform throws; its `code`, where it has one, says why */
  request(request: TransportRequest): Promise<TransportAnswer>;
  /** Begins to open a WebSocket; events tell what becomes of it: texts as such, bytes as an ArrayBuffer. */
  openSocket(url: URL, protocols: string | string[]): Promise<ClientSocket>;
  /** How socket.io's client connects. */
  readonly roomOptions: Readonly<Record<string, unknown>>;
  /** Ends idle connections. */
  close(): void;
}

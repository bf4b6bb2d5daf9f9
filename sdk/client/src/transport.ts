/** One request as a transport sends it. */
export interface TransportRequest {
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array | string;
  readonly signal: AbortSignal;
}

/** The head of a response, and its body as it arrives; leaving the body unread closes the connection. */
export interface TransportAnswer {
  readonly status: number;
  header(name: string): string | undefined;
  readonly body: AsyncIterable<Uint8Array>;
}

/** The part of the WebSocket interface that is used; both Node's library and browsers have it. */
export interface ClientSocket {
  addEventListener(name: 'open', listener: () => void): void;
  addEventListener(name: 'message', listener: (event: { readonly data: unknown }) => void): void;
  addEventListener(name: 'error', listener: (event: { readonly error?: unknown }) => void): void;
  addEventListener(name: 'close', listener: (event: { readonly code: number; readonly reason: string }) => void): void;
  send(message: string | Uint8Array<ArrayBuffer>): void;
  close(code: number): void;
  /** Bytes that are queued and not sent yet. */
  readonly bufferedAmount: number;
  /** Stops reading for a while; not available in browsers. */
  pause?(): void;
  resume?(): void;
}

/** Sends requests: with Node's own client and a certificate authority, or with the browser's means. */
export interface Transport {
  /** Sends a request. @throws the error of Node or the browser; its `code`, if any, says why */
  request(request: TransportRequest): Promise<TransportAnswer>;
  /** Begins to open a WebSocket; its events report the result, and messages: texts as strings, bytes as an ArrayBuffer. */
  openSocket(url: URL, protocols: string | string[]): Promise<ClientSocket>;
  /** How socket.io's client connects. */
  readonly roomOptions: Readonly<Record<string, unknown>>;
  /** Ends idle connections. */
  close(): void;
}

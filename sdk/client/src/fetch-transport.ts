import type { Transport, TransportRequest } from './transport.js';

/** The transport of browsers; certificate authorities are the browser's own. */
export function fetchTransport(): Transport {
  return {
    async request({ url, method, headers, body, signal }: TransportRequest) {
      const bytes = body instanceof Uint8Array ? new Uint8Array(body) : body;
      const options = { method, headers, signal, credentials: 'same-origin', redirect: 'manual' } as const;
      const answer = await fetch(url, { ...options, ...(bytes !== undefined && { body: bytes }) });
      // Redirects are not followed, as in Node: the request is for the platform only. Browsers do not reveal the status of a redirect.
      const status = answer.type === 'opaqueredirect' ? 302 : answer.status;
      return { status, header: (name) => answer.headers.get(name) ?? undefined, body: bodyOf(answer) };
    },
    async openSocket(url, protocols) {
      const socket = new WebSocket(url, protocols);
      socket.binaryType = 'arraybuffer';
      return socket;
    },
    roomOptions: {},
    close: () => {},
  };
}

/** Iterates over a body with a reader, since not every browser can iterate over streams. */
async function* bodyOf({ body }: Response): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    // Leaving the body unread closes the connection.
    await reader.cancel().catch(() => {});
  }
}

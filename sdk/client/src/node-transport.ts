import type { IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { ApiError } from './errors.js';
import type { Transport, TransportAnswer, TransportRequest } from './transport.js';

// An `import` of values would load a second HTTP client into the process, for a WebSocket (docs/decisions/0142).
const { Agent: HttpAgent, request: httpRequest } = process.getBuiltinModule('node:http');

/** Connections kept open between requests, and how soon a silent one is probed. */
const idleMax = 8;
const probeAfterMs = 15_000;
const messageBytesMax = 16 * 1024 * 1024;
const closeMsMax = 2000;
const refusalMsMax = 5000;
const refusalCharsMax = 64 * 1024;

/** A transport on Node's own HTTP client: nothing to load, and the only one that accepts a certificate authority without libraries. */
export function nodeTransport(certificateAuthority: string | undefined): Transport {
  const common = { keepAlive: true, keepAliveMsecs: probeAfterMs, maxFreeSockets: idleMax };
  const ca = certificateAuthority === undefined ? {} : { ca: certificateAuthority };
  const agents = { https: new HttpsAgent({ ...common, ...ca }), http: new HttpAgent(common) };

  function request({ url, method, headers, body, signal }: TransportRequest): Promise<TransportAnswer> {
    const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    return new Promise((resolve, reject) => {
      const options = { method, headers: { ...headers, ...length }, signal };
      const answered = (answer: IncomingMessage): void => resolve(answerOf(answer));
      const asked =
        url.protocol === 'https:'
          ? httpsRequest(url, { ...options, agent: agents.https }, answered)
          : httpRequest(url, { ...options, agent: agents.http }, answered);
      asked.on('error', reject);
      asked.end(body);
    });
  }

  return {
    request,
    async openSocket(url, protocols) {
      // Node's own WebSocket does not accept a certificate authority.
      const { WebSocket } = await import('ws');
      const settings = { ...ca, maxPayload: messageBytesMax, closeTimeout: closeMsMax };
      const socket = new WebSocket(url, protocols, settings);
      socket.binaryType = 'arraybuffer';
      // Detects a lost connection even if it is silent for hours, as with a command.
      socket.on('upgrade', (answer) => void answer.socket.setKeepAlive(true, probeAfterMs));
      socket.on('unexpected-response', (_, answer) => {
        void refusalOf(answer).then((refusal) => {
          socket.emit('error', refusal);
          socket.terminate();
        });
      });
      return socket;
    },
    roomOptions: ca,
    close: () => {
      agents.https.destroy();
      agents.http.destroy();
    },
  };
}

/** Reads the platform's refusal, which the library would leave unread. */
async function refusalOf(answer: IncomingMessage): Promise<Error> {
  const { statusCode: status = 0 } = answer;
  const late = setTimeout(() => answer.destroy(), refusalMsMax);
  let text = '';
  try {
    for await (const chunk of answer.setEncoding('utf8') as AsyncIterable<string>) {
      text += chunk;
      if (text.length > refusalCharsMax) break;
    }
  } catch {
    // The body broke off: the part that has arrived is used.
  } finally {
    clearTimeout(late);
  }
  const refusal = ApiError.of({ status, text });
  return refusal.code === '' ? new Error(`Unexpected server response: ${status}`) : refusal;
}

function answerOf(answer: IncomingMessage): TransportAnswer {
  return {
    status: answer.statusCode ?? 0,
    header(name) {
      const value = answer.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
    body: answer as AsyncIterable<Uint8Array>,
  };
}

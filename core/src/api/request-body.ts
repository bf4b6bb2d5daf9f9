import { noteRequestBody } from './audit-trail.js';
import { apiErrors } from './errors.js';
import type { Exchange } from './exchange.js';

export const bodyBytesMax = 1024 * 1024;

/**
 * Reads a body up to `bytesMax`. A larger one is refused as soon as that is known, and the connection is closed after the answer,
 * since nobody reads the rest.
 *
 * @throws TAP_REQUEST_BODY_TOO_LARGE, TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED, TAP_REQUEST_ABORTED
 */
export async function readBody(exchange: Exchange, bytesMax: number = bodyBytesMax): Promise<Uint8Array> {
  const { request, response } = exchange;
  const encoding = exchange.header('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    throw apiErrors.TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED({ message: `content encoding "${encoding}" is not read; send the body as it is` });
  }
  if (Number(request.headers['content-length'] ?? 0) > bytesMax) throw tooLarge(exchange, bytesMax);
  if (exchange.awaitsContinue) {
    exchange.awaitsContinue = false;
    response.writeContinue();
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  const { signal } = exchange;
  const stop = (): void => void request.destroy();
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw tooLarge(exchange, bytesMax);
      chunks.push(chunk);
    }
  } catch (error) {
    signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    throw apiErrors.TAP_REQUEST_ABORTED({ message: 'the client went away while it sent the body' });
  } finally {
    signal.removeEventListener('abort', stop);
  }
  const body = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks, bytes);
  noteRequestBody(exchange, body);
  return body;
}

function tooLarge(exchange: Exchange, bytesMax: number): Error {
  exchange.extraHeaders.push('Connection', 'close');
  return apiErrors.TAP_REQUEST_BODY_TOO_LARGE({ message: `the body is larger than ${bytesMax} bytes` });
}

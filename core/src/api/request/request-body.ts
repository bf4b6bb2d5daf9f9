import type { IncomingMessage } from 'node:http';
import { noteRequestBody } from '../audit-trail.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from './exchange.js';

export const bodyBytesMax = 1024 * 1024;

/**
 * Reads a body up to `bytesMax`. A larger one is refused as soon as that is known, and the connection is closed after the answer, because
 * the rest of the body is not read.
 *
 * @throws TAP_REQUEST_BODY_TOO_LARGE, TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED, TAP_REQUEST_ABORTED
 */
export async function readBody(exchange: Exchange, bytesMax: number = bodyBytesMax): Promise<Buffer> {
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
  exchange.isReading = true;
  try {
    const body = await collected(request, bytesMax, () => tooLarge(exchange, bytesMax));
    noteRequestBody(exchange, body);
    return body;
  } catch (error) {
    exchange.signal.throwIfAborted();
    if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
    throw apiErrors.TAP_REQUEST_ABORTED({ message: 'the client went away while it sent the body' });
  } finally {
    exchange.isReading = false;
  }
}

/** Collects the data up to a limit; data beyond it, or after a failure, is left unread. */
function collected(request: IncomingMessage, bytesMax: number, refusal: () => Error): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let body: Buffer | undefined;
    let more: Buffer[] | undefined;
    let bytes = 0;
    const take = (chunk: Buffer): void => {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) {
        request.off('data', take).pause();
        reject(refusal());
      } else if (body === undefined) body = chunk;
      else (more ??= [body]).push(chunk);
    };
    const end = (): void => resolve(more === undefined ? (body ?? Buffer.alloc(0)) : Buffer.concat(more, bytes));
    const cut = (): void => {
      if (!request.readableEnded) reject(Object.assign(new Error('the connection was closed'), { code: 'ECONNRESET' }));
    };
    if (request.readableEnded) return end();
    if (request.destroyed) return cut();
    // After one of these has settled the promise, the others have no effect, so the listeners need not be removed.
    request.on('data', take).on('end', end).on('error', reject).on('close', cut);
  });
}

function tooLarge(exchange: Exchange, bytesMax: number): Error {
  exchange.extraHeaders.push('Connection', 'close');
  return apiErrors.TAP_REQUEST_BODY_TOO_LARGE({ message: `the body is larger than ${bytesMax} bytes` });
}

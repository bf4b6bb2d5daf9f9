import { request, type RequestOptions } from 'node:https';
import { credentialErrors } from '@tappaas/sdk';
import { OutboundAddresses, type OutboundRules } from '@tappaas/sdk/outbound';

/** A request to a token issuer or reviewer. */
export interface JsonRequest extends OutboundRules {
  readonly url: string;
  readonly certificateAuthority?: string;
  readonly token?: string;
  /** Sent with POST; absent: GET. */
  readonly body?: object;
}

const answerBytesMax = 256 * 1024;
const answerMsMax = 5000;

/** Sends a request over https without following redirects. @throws TAP_ISSUER_UNAVAILABLE naming the address and the problem */
export async function requestJson(asked: JsonRequest): Promise<unknown> {
  const url = URL.parse(asked.url);
  if (url?.protocol !== 'https:') throw unavailable(asked, 'it is no https address');
  try {
    const addresses = new OutboundAddresses(asked);
    addresses.check(url);
    return JSON.parse(await textOf(url, asked, addresses));
  } catch (cause) {
    throw unavailable(asked, reasonOf(cause), cause);
  }
}

function textOf(url: URL, asked: JsonRequest, { lookup }: OutboundAddresses): Promise<string> {
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  const options: RequestOptions = {
    method: body === undefined ? 'GET' : 'POST',
    signal: AbortSignal.timeout(answerMsMax),
    ...(asked.certificateAuthority !== undefined && { ca: asked.certificateAuthority }),
    lookup,
    // A pooled connection may lead to an address that is not allowed here.
    ...(asked.isForeign === true && { agent: false }),
    headers: {
      accept: 'application/json',
      ...(asked.token !== undefined && { authorization: `Bearer ${asked.token}` }),
      ...(body !== undefined && { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    },
  };
  return new Promise((resolve, reject) => {
    const outgoing = request(url, options, (answer) => {
      const { statusCode = 0 } = answer;
      if (statusCode < 200 || statusCode > 299) {
        outgoing.destroy(new Error(`it answered ${statusCode}`));
        return;
      }
      const chunks: Buffer[] = [];
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        chunks.push(chunk);
        if (bytes > answerBytesMax) outgoing.destroy(new Error(`the answer is larger than ${answerBytesMax} bytes`));
      });
      answer.on('error', reject);
      answer.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

function reasonOf(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'the answer is not JSON';
  if (!(cause instanceof Error)) return 'it does not answer';
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError') return `it did not answer within ${answerMsMax} ms`;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

function unavailable({ url }: JsonRequest, reason: string, cause?: unknown): Error {
  return credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: `${url} cannot be asked: ${reason}`, ...(cause !== undefined && { cause }) });
}

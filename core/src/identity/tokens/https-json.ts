import { lookup as lookUp, type LookupAddress } from 'node:dns';
import { request, type RequestOptions } from 'node:https';
import { BlockList, isIP } from 'node:net';
import { credentialErrors } from '@tappaas/sdk';

/** One question to somebody who issues or knows tokens. */
export interface JsonRequest {
  readonly url: string;
  readonly certificateAuthority?: string;
  readonly token?: string;
  /** Sent with POST; absent: GET. */
  readonly body?: object;
  /** The address was named by the other side and not by an operator: nothing of this machine or network may be reached by it. */
  readonly isForeign?: boolean;
}

const answerBytesMax = 256 * 1024;
const answerMsMax = 5000;

/**
 * Addresses that no address from outside may lead to: this machine, its networks, the metadata services of clouds, what is nobody's, and
 * forms of IPv6 that carry an address of IPv4 which is looked at nowhere else.
 */
const inside = new BlockList();
for (const [net, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['224.0.0.0', 3],
] as const) {
  inside.addSubnet(net, prefix, 'ipv4');
}
for (const [net, prefix] of [
  ['::', 128],
  ['::1', 128],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['2001::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  inside.addSubnet(net, prefix, 'ipv6');
}

/** Says whether an address belongs to this machine or a private network; also in its form as IPv6. */
export function isInside(address: string): boolean {
  return inside.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');
}

/** Asks over https and follows nothing. @throws TAP_ISSUER_UNAVAILABLE naming the address and what was wrong */
export async function askJson(asked: JsonRequest): Promise<unknown> {
  const url = URL.parse(asked.url);
  if (url?.protocol !== 'https:') throw unavailable(asked, 'it is no https address');
  if (asked.isForeign === true && isInside(url.hostname.replace(/^\[|\]$/g, ''))) throw unavailable(asked, 'it leads to an inner address');
  try {
    return JSON.parse(await textOf(url, asked));
  } catch (cause) {
    throw unavailable(asked, reasonOf(cause), cause);
  }
}

function textOf(url: URL, asked: JsonRequest): Promise<string> {
  const body = asked.body === undefined ? undefined : JSON.stringify(asked.body);
  const options: RequestOptions = {
    method: body === undefined ? 'GET' : 'POST',
    signal: AbortSignal.timeout(answerMsMax),
    ...(asked.certificateAuthority !== undefined && { ca: asked.certificateAuthority }),
    ...(asked.isForeign === true && { lookup: outsideOnly }),
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

/** Looks names up like everybody, and refuses what leads inside: a name says nothing about where it leads. */
const outsideOnly: NonNullable<RequestOptions['lookup']> = (hostname, options, done) => {
  lookUp(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const inner = error === null ? addresses.find(({ address }) => isInside(address)) : undefined;
    const failure = inner === undefined ? error : new Error(`${hostname} leads to an inner address`);
    const [first] = addresses ?? [];
    if (failure !== null) done(failure, '', 0);
    else if (options.all === true) done(null, addresses);
    else done(null, first?.address ?? '', first?.family ?? 0);
  });
};

function reasonOf(cause: unknown): string {
  if (cause instanceof SyntaxError) return 'the answer is no JSON';
  if (!(cause instanceof Error)) return 'it does not answer';
  if (cause.name === 'TimeoutError' || cause.name === 'AbortError') return `it did not answer within ${answerMsMax} ms`;
  return 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.message;
}

function unavailable({ url }: JsonRequest, reason: string, cause?: unknown): Error {
  return credentialErrors.TAP_ISSUER_UNAVAILABLE({ message: `${url} cannot be asked: ${reason}`, ...(cause !== undefined && { cause }) });
}

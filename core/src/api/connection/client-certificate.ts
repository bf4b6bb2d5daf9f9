import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { ClientCertificate } from '@tappaas/sdk';
import { CertificateChains } from './certificate-chain.js';

/** Cached per connection: its certificate never changes, and parsing it costs more than answering a request. */
const known = new WeakMap<TLSSocket, ClientCertificate | undefined>();
const chains = new CertificateChains();

/** Returns the client certificate that the TLS layer has verified; undefined when there is none. */
export function verifiedCertificate(socket: TLSSocket): ClientCertificate | undefined {
  if (!known.has(socket)) known.set(socket, certificateOf(socket.getPeerCertificate(true), socket.isSessionReused()));
  return known.get(socket);
}

function certificateOf(peer: DetailedPeerCertificate, isResumed: boolean): ClientCertificate | undefined {
  // Node returns an empty object when the client sent none.
  if ((peer as Partial<DetailedPeerCertificate>).fingerprint256 === undefined) return undefined;
  const { subject, subjectaltname = '', fingerprint256, serialNumber, valid_from, valid_to } = peer;
  return Object.freeze({
    subject: Object.fromEntries(Object.entries(subject).map(([part, value]) => [part, [value ?? []].flat()])),
    subjectAltNames: alternativeNames(subjectaltname),
    fingerprint256,
    serialNumber,
    authorities: chains.of(peer, isResumed),
    notBeforeMs: Date.parse(valid_from),
    notAfterMs: Date.parse(valid_to),
  });
}

/** Parses names. Node quotes a value with a comma or a quote as a JSON string, so that it cannot be mistaken for several names. */
const nameForm = /(?:^|, )(?<type>[A-Za-z ]+):(?<value>"(?:[^"\\]|\\.)*"|[^",]*)/g;

export function alternativeNames(text: string): readonly string[] {
  return [...text.matchAll(nameForm)].map(
    ({ groups: { type = '', value = '' } = {} }) => `${type}:${value.startsWith('"') ? unquoted(value) : value}`,
  );
}

function unquoted(value: string): string {
  try {
    return String(JSON.parse(value));
  } catch {
    return value;
  }
}

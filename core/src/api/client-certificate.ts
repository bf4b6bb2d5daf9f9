import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { ClientCertificate } from '@tappaas/sdk';

const chainMax = 10;
/** A connection has one certificate for good, and reading it costs more than answering a request. */
const known = new WeakMap<TLSSocket, ClientCertificate | undefined>();

/** The client certificate of a connection that the TLS layer has verified; nothing when there is none. */
export function verifiedCertificate(socket: TLSSocket): ClientCertificate | undefined {
  if (!known.has(socket)) known.set(socket, certificateOf(socket.getPeerCertificate(true)));
  return known.get(socket);
}

function certificateOf(peer: DetailedPeerCertificate): ClientCertificate | undefined {
  // Node answers an empty object when the client sent none.
  if ((peer as Partial<DetailedPeerCertificate>).fingerprint256 === undefined) return undefined;
  const { subject, subjectaltname = '', fingerprint256, serialNumber, valid_from, valid_to } = peer;
  return Object.freeze({
    subject: Object.fromEntries(Object.entries(subject).map(([part, value]) => [part, [value ?? []].flat()])),
    subjectAltNames: alternativeNames(subjectaltname),
    fingerprint256,
    serialNumber,
    authorities: authoritiesOf(peer),
    notBeforeMs: Date.parse(valid_from),
    notAfterMs: Date.parse(valid_to),
  });
}

/** Each certificate names the one that signed it; the root names itself. */
function authoritiesOf(peer: DetailedPeerCertificate): readonly string[] {
  const found: string[] = [];
  let current: Partial<DetailedPeerCertificate> | undefined = peer;
  while (found.length < chainMax) {
    const issuer: Partial<DetailedPeerCertificate> | undefined = current?.issuerCertificate;
    if (issuer?.fingerprint256 === undefined || issuer === current) break;
    found.push(issuer.fingerprint256);
    current = issuer;
  }
  return found;
}

/** Node puts a value with a comma or quote in it into quotes, as a JSON string: it must not pass for several names. */
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

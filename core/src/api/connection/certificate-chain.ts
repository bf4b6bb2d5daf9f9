import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate } from 'node:tls';
import type { CertificateAuthority } from '@tappaas/sdk';

const authoritiesMax = 10;
const chainsMax = 10_000;

type Chain = readonly CertificateAuthority[];
type Link = Partial<DetailedPeerCertificate> | undefined;

/** Reads the issuing authorities of client certificates, the direct issuer first. */
export class CertificateChains {
  /** Cached by fingerprint: a resumed TLS session has the client certificate, but not its intermediate authorities. */
  readonly #known = new Map<string, Chain>();

  of(peer: DetailedPeerCertificate, isResumed: boolean): Chain {
    const { fingerprint256 } = peer;
    const known = isResumed ? this.#known.get(fingerprint256) : undefined;
    return known ?? this.#keep(fingerprint256, chainOf(peer));
  }

  #keep(fingerprint: string, chain: Chain): Chain {
    this.#known.delete(fingerprint);
    const oldest = this.#known.size >= chainsMax ? this.#known.keys().next().value : undefined;
    if (oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(fingerprint, chain);
    return chain;
  }
}

/**
 * Returns the chain as far as signatures prove it. Node links certificates by issuer name only, and anyone can send a certificate with the
 * name of an authority: the chain ends where a key did not sign the certificate below.
 */
function chainOf(peer: DetailedPeerCertificate): Chain {
  const chain: CertificateAuthority[] = [];
  let below = new X509Certificate(peer.raw);
  let link: Link = peer;
  while (chain.length < authoritiesMax) {
    const above: Link = link?.issuerCertificate;
    // A root is its own issuer.
    if (above?.raw === undefined || above === link) break;
    const authority = new X509Certificate(above.raw);
    if (!authority.ca || !below.verify(authority.publicKey)) break;
    const { fingerprint256, serialNumber, validToDate } = authority;
    chain.push({ fingerprint256, serialNumber, notAfterMs: validToDate.getTime(), certificate: authority.toString() });
    below = authority;
    link = above;
  }
  return chain;
}

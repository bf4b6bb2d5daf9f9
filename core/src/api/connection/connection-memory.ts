import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Identity } from '@tappaas/sdk';

/** Short compared with the 10 s within which a revoked credential must stop working. */
const rememberedMs = 1000;
const namesAndValuesMax = 64;
const charsMax = 4096;
/** Methods with a body, whose Content-Length may vary. A body with any other method is suspicious, so there it must be the same. */
const writing: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

interface Spoken {
  readonly method: string | undefined;
  readonly rawHeaders: readonly string[];
  /** Index of the Content-Length value, which may differ between requests of one caller; -1 if none. */
  readonly lengthAt: number;
  readonly identity: Identity;
  /** When the entry was made. An earlier time means that the clock was set back, so the age is unknown. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Remembers the last caller on a connection, separately for GET and other methods. A request within a second with the same method and
 * identical headers is from the same caller, because authenticators see nothing but headers and connection; the headers were validated.
 */
export class ConnectionMemory {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #reads = new WeakMap<Socket, Spoken>();
  #others = new WeakMap<Socket, Spoken>();
  #forgottenAtMs = -Infinity;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** Returns the caller if the request differs from the last one on its connection only in target and body; else undefined. */
  recall({ method, socket, rawHeaders }: IncomingMessage, nowMs: number): Identity | undefined {
    const known = (method === 'GET' ? this.#reads : this.#others).get(socket);
    if (known === undefined || nowMs < known.fromMs || nowMs >= known.untilMs) return undefined;
    if (known.method !== method || known.rawHeaders.length !== rawHeaders.length) return undefined;
    for (let index = 0; index < rawHeaders.length; index += 1)
      if (rawHeaders[index] !== known.rawHeaders[index] && index !== known.lengthAt) return undefined;
    return known.identity;
  }

  /** Remembers a caller, unless authentication began before the last revocation: it may have used the revoked credential. */
  keep({ method, socket, rawHeaders }: IncomingMessage, identity: Identity, authenticatedAtMs: number): void {
    if (authenticatedAtMs <= this.#forgottenAtMs || rawHeaders.length > namesAndValuesMax) return;
    let chars = 0;
    for (const text of rawHeaders) chars += text.length;
    if (chars > charsMax) return;
    const fromMs = this.#clock.nowMs();
    const untilMs = Math.min(fromMs + rememberedMs, identity.expiresAtMs ?? Infinity);
    const lengthAt = writing.has(method ?? '') ? lengthIn(rawHeaders) : -1;
    (method === 'GET' ? this.#reads : this.#others).set(socket, { method, rawHeaders, lengthAt, identity, fromMs, untilMs });
  }

  /** Drops all entries, because a credential was revoked. */
  forget(): void {
    this.#reads = new WeakMap();
    this.#others = new WeakMap();
    this.#forgottenAtMs = this.#clock.nowMs();
  }
}

function lengthIn(rawHeaders: readonly string[]): number {
  for (let index = 0; index < rawHeaders.length; index += 2) if (rawHeaders[index]?.toLowerCase() === 'content-length') return index + 1;
  return -1;
}

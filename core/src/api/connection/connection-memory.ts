import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Identity } from '@tappaas/sdk';

/** Short beside the 10 s within which a credential that is no longer good stops being one. */
const rememberedMs = 1000;
const namesAndValuesMax = 64;
const charsMax = 4096;
/** With a body: that another method has one is a trick, and looked for in every request. */
const writing: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

interface Spoken {
  readonly method: string | undefined;
  readonly rawHeaders: readonly string[];
  /** Where the length of a body stands, which says nothing of who sends it. */
  readonly lengthAt: number;
  readonly identity: Identity;
  /** When it was kept: before that only a clock that was set back can be, and nobody knows how long ago it was. */
  readonly fromMs: number;
  readonly untilMs: number;
}

/**
 * Who spoke last on a connection, reading, and in any other way. A request with the method and the very headers of the one before it, within
 * a second, is from the same caller: nothing else than headers and connection is shown to authenticators, and its headers were looked at.
 */
export class ConnectionMemory {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #reads = new WeakMap<Socket, Spoken>();
  #others = new WeakMap<Socket, Spoken>();
  #forgottenAtMs = -Infinity;

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** The caller of a request that differs from the last one on its connection at most in its target, and in what it sends. */
  recall({ method, socket, rawHeaders }: IncomingMessage, nowMs: number): Identity | undefined {
    const known = (method === 'GET' ? this.#reads : this.#others).get(socket);
    if (known === undefined || nowMs < known.fromMs || nowMs >= known.untilMs) return undefined;
    if (known.method !== method || known.rawHeaders.length !== rawHeaders.length) return undefined;
    for (let index = 0; index < rawHeaders.length; index += 1)
      if (rawHeaders[index] !== known.rawHeaders[index] && index !== known.lengthAt) return undefined;
    return known.identity;
  }

  /** Not what was asked for before some credential was no longer good: it may be that one. */
  keep({ method, socket, rawHeaders }: IncomingMessage, identity: Identity, askedAtMs: number): void {
    if (askedAtMs <= this.#forgottenAtMs || rawHeaders.length > namesAndValuesMax) return;
    let chars = 0;
    for (const text of rawHeaders) chars += text.length;
    if (chars > charsMax) return;
    const fromMs = this.#clock.nowMs();
    const untilMs = Math.min(fromMs + rememberedMs, identity.expiresAtMs ?? Infinity);
    const lengthAt = writing.has(method ?? '') ? lengthIn(rawHeaders) : -1;
    (method === 'GET' ? this.#reads : this.#others).set(socket, { method, rawHeaders, lengthAt, identity, fromMs, untilMs });
  }

  /** A credential is no longer good. */
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

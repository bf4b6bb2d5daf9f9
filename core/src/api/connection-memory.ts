import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock, Identity } from '@tappaas/sdk';

/** Short beside the 10 s within which a credential that is no longer good stops being one. */
const rememberedMs = 1000;
const namesAndValuesMax = 64;
const charsMax = 4096;

interface Spoken {
  readonly rawHeaders: readonly string[];
  readonly identity: Identity;
  readonly untilMs: number;
}

/**
 * Who spoke last on a connection. A read with the very headers of the one before it, within a second, is from the same caller: nothing
 * else than headers and connection is shown to authenticators, and its headers were looked at.
 */
export class ConnectionMemory {
  readonly #clock: Pick<Clock, 'nowMs'>;
  #spoken = new WeakMap<Socket, Spoken>();

  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** The caller of a read that differs from the last one on its connection at most in its target. */
  recall({ method, socket, rawHeaders }: IncomingMessage, nowMs: number): Identity | undefined {
    if (method !== 'GET') return undefined;
    const known = this.#spoken.get(socket);
    if (known === undefined || known.rawHeaders.length !== rawHeaders.length || nowMs >= known.untilMs) return undefined;
    for (let index = 0; index < rawHeaders.length; index += 1) if (rawHeaders[index] !== known.rawHeaders[index]) return undefined;
    return known.identity;
  }

  keep({ method, socket, rawHeaders }: IncomingMessage, identity: Identity): void {
    if (method !== 'GET' || rawHeaders.length > namesAndValuesMax) return;
    let chars = 0;
    for (const text of rawHeaders) chars += text.length;
    if (chars > charsMax) return;
    const untilMs = Math.min(this.#clock.nowMs() + rememberedMs, identity.expiresAtMs ?? Infinity);
    this.#spoken.set(socket, { rawHeaders, identity, untilMs });
  }

  /** A credential is no longer good. */
  forget(): void {
    this.#spoken = new WeakMap();
  }
}

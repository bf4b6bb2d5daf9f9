import { storeErrors } from '@tappaas/sdk';
import type { Channel } from './channel.js';
import type { StoreCalls, StoreMethod, ToClient, ToServer } from './protocol.js';
import { fromWire } from './wire-error.js';

interface Waiting {
  readonly method: StoreMethod;
  readonly answered: (result: unknown) => void;
  readonly failed: (error: Error) => void;
}

/** The result of a call. */
export type ResultOf<M extends StoreMethod> = Awaited<ReturnType<StoreCalls[M]>>;

const callsMax = 10_000;

/** Calls that wait for their results. */
export class CallBook {
  readonly #channel: Channel<ToServer, ToClient>;
  readonly #waiting = new Map<number, Waiting>();
  #last = 0;
  #idle: (() => void) | undefined;

  constructor(channel: Channel<ToServer, ToClient>) {
    this.#channel = channel;
  }

  /** Sends a call. `onAnswer` runs as the result is received, before any later message. @throws what the store throws */
  call<M extends StoreMethod>(method: M, parameters: Parameters<StoreCalls[M]>, onAnswer?: (result: ResultOf<M>) => void) {
    if (this.#waiting.size >= callsMax)
      throw storeErrors.TAP_STORE_UNAVAILABLE({ message: `${callsMax} calls wait for the store`, retryAfterMs: 1_000 });
    const id = ++this.#last;
    return new Promise<ResultOf<M>>((resolve, reject) => {
      const answered = (result: unknown): void => {
        onAnswer?.(result as ResultOf<M>);
        resolve(result as ResultOf<M>);
      };
      this.#waiting.set(id, { method, answered, failed: reject });
      this.#channel.send({ id, method, parameters });
    });
  }

  take(message: Extract<ToClient, { id: number }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if ('error' in message) waiting?.failed(fromWire(message.error));
    else waiting?.answered(message.result);
    if (this.#waiting.size === 0) this.#idle?.();
  }

  /** Fails all pending calls after the store process has gone; writes may have been applied, so their outcome is unknown. */
  loseAll(): void {
    for (const { method, failed } of this.#waiting.values()) failed(changes.has(method) ? outcomeUnknown() : gone());
    this.#waiting.clear();
    this.#idle?.();
  }

  async idle(): Promise<void> {
    if (this.#waiting.size > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }
}

const changes: ReadonlySet<StoreMethod> = new Set([
  'transact',
  'grantLease',
  'keepLeaseAlive',
  'revokeLease',
  'compact',
  'restoreChunk',
  'restoreEnd',
]);

function outcomeUnknown(): Error {
  return storeErrors.TAP_STORE_OUTCOME_UNKNOWN({ message: 'the process that has the store went away before it answered' });
}

/** The error of every call once the store process has gone. */
export function gone(): Error {
  return storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the process that has the store has gone' });
}

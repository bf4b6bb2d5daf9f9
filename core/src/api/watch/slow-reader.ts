import type { Clock, TapError } from '@tappaas/sdk';
import { apiErrors } from '../errors.js';

export interface StreamLimits {
  readonly clock: Clock;
  /** How long a client may leave what was sent unread before it is cut off. */
  readonly drainMsMax: number;
}

/**
 * Waits until the client has read enough of what was sent to it. `cutOff` ends the connection of a client that has not done so in time.
 *
 * @throws TAP_REQUEST_SLOW_READER after the client was cut off; the reason of `signal` when that aborts first
 */
export async function readInTime(
  read: Promise<unknown>,
  { clock, drainMsMax }: StreamLimits,
  cutOff: (error: TapError) => void,
  signal?: AbortSignal,
): Promise<void> {
  const waiting = new AbortController();
  const timer = signal === undefined ? waiting.signal : AbortSignal.any([waiting.signal, signal]);
  const late = clock.sleep(drainMsMax, timer).then(
    () => true,
    () => false,
  );
  // If the connection fails, there is nothing to wait for either; the next write reports the failure.
  const isLate = await Promise.race([read.then(() => false), late]).catch(() => false);
  waiting.abort();
  signal?.throwIfAborted();
  if (!isLate) return;
  const error = apiErrors.TAP_REQUEST_SLOW_READER({ message: `the client has read nothing for ${drainMsMax} ms` });
  cutOff(error);
  throw error;
}

/** A wait for room on a connection, shared by all senders, so that there is only one timer. */
export class SharedDrain {
  readonly #limits: StreamLimits;
  readonly #cutOff: (error: TapError) => void;
  #current: { readonly drained: Promise<void>; readonly resolve: () => void } | undefined;

  constructor(limits: StreamLimits, cutOff: (error: TapError) => void) {
    this.#limits = limits;
    this.#cutOff = cutOff;
  }

  /** Resolves at the next `release`. @throws TAP_REQUEST_SLOW_READER when none comes in time, after the client was cut off */
  wait(): Promise<void> {
    return (this.#current ??= this.#begin()).drained;
  }

  /** Resolves the waits: there is room again, or the connection is closed. */
  release(): void {
    this.#current?.resolve();
    this.#current = undefined;
  }

  #begin(): { readonly drained: Promise<void>; readonly resolve: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const drained = readInTime(promise, this.#limits, (error) => {
      this.#current = undefined;
      this.#cutOff(error);
    });
    return { drained, resolve };
  }
}

import { storeErrors, type Clock, type StoreHealth, type TapError } from '@tappaas/sdk';

/** Interval at which a disk that refused writes is probed. */
const probeEveryMs = 1_000;

export interface StoreFaultsOptions {
  readonly clock: Clock;
  /** Resolves when the disk accepts writes again, rejects while it does not. */
  readonly probe: () => Promise<void>;
}

/** The fault that keeps a store from working: it is closed, its writer has ended, or its disk refuses writes. */
export class StoreFaults {
  readonly #options: StoreFaultsOptions;
  readonly #closing = new AbortController();
  #broken: TapError | undefined;
  #lost: TapError | undefined;

  constructor(options: StoreFaultsOptions) {
    this.#options = options;
  }

  close(): void {
    this.#closing.abort();
  }

  /** Refuses writes until a probe has shown that the disk accepts them again; after TAP_STORE_CORRUPT for good. */
  break(error: TapError): void {
    const first = this.#broken === undefined;
    this.#broken = error;
    if (first && error.code !== 'TAP_STORE_CORRUPT') void this.#mend();
  }

  lose(error: TapError | undefined): void {
    this.#lost = error;
  }

  /** Without its writer a store must refuse reads too: another process may use the directory by now. */
  assertOpen(): void {
    if (this.#lost !== undefined) throw this.#lost;
    if (this.#closing.signal.aborted) throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the store is closed' });
  }

  assertWritable(): void {
    this.assertOpen();
    if (this.#broken === undefined) return;
    if (this.#broken.code === 'TAP_STORE_CORRUPT') throw this.#broken;
    throw storeErrors.TAP_STORE_READ_ONLY({ message: this.#broken.message, retryAfterMs: probeEveryMs });
  }

  /** `ok` is the message when there is no fault. */
  health(ok: string): Pick<StoreHealth, 'state' | 'message'> {
    if (this.#closing.signal.aborted) return { state: 'unavailable', message: 'the store is closed' };
    const fault = this.#lost ?? this.#broken;
    if (fault === undefined) return { state: 'ok', message: ok };
    return { state: this.#lost === undefined ? 'read-only' : 'unavailable', message: fault.message };
  }

  async #mend(): Promise<void> {
    const { signal } = this.#closing;
    const { clock, probe } = this.#options;
    while (this.#broken !== undefined && !signal.aborted) {
      await clock.sleep(probeEveryMs, signal).catch(() => undefined);
      if (signal.aborted) return;
      await probe().then(
        () => (this.#broken = undefined),
        () => undefined,
      );
    }
  }
}

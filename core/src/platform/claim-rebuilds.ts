import { hooks, type Logger } from '@tappaas/sdk';
import type { Registrations } from '../kernel/kernel.js';
import type { ResourceEngine } from '../resources/engine.js';

export interface ClaimRebuildsOptions {
  readonly engines: () => Iterable<ResourceEngine>;
  readonly log: Logger;
  /** Aborts the current rebuild for good. */
  readonly signal: AbortSignal;
}

/**
 * Keeps the claims of objects in line with the plugins: rebuilds them at the start and with every generation, because the claims of a
 * plugin may depend on its configuration and on that of others. One rebuild at a time; a newer one aborts an older one and continues with
 * the rest.
 */
export class ClaimRebuilds {
  readonly #options: ClaimRebuildsOptions;
  #isClaiming = false;
  #current = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(options: ClaimRebuildsOptions) {
    this.#options = options;
  }

  /** Checks whether any plugin has claims now, and rebuilds in the background if necessary. */
  follow({ taps }: Pick<Registrations, 'taps'>): void {
    const wasClaiming = this.#isClaiming;
    this.#isClaiming = taps.some(({ hook, mode }) => hook === hooks.admission.claim.name && mode === 'enforce');
    if (this.#isClaiming || wasClaiming) this.begin();
  }

  /** Starts another rebuild in the background. */
  begin(): void {
    this.#current.abort();
    this.#current = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, this.#current.signal]);
    this.#last = this.#last.then(() => this.#rebuild(signal));
  }

  /** Resolves when no rebuild is running. */
  idle(): Promise<void> {
    return this.#last;
  }

  async #rebuild(signal: AbortSignal): Promise<void> {
    const { engines, log } = this.#options;
    for (const engine of engines()) {
      try {
        const { changed, refused } = await engine.rebuildClaims(signal);
        if (changed > 0) log.info('objects from before the plugins as they are were claimed for', { engine: engine.name, changed });
        if (refused.length > 0)
          log.warn('what some objects claim is held by others', { engine: engine.name, refused: refused.slice(0, 10) });
      } catch (error) {
        if (signal.aborted) return;
        log.warn('claims of objects from before the plugins as they are were not made; the next start or reload goes on', {
          engine: engine.name,
          error,
        });
      }
    }
  }
}

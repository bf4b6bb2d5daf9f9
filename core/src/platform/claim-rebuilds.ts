import { hooks, type Logger } from '@tappaas/sdk';
import type { Registrations } from '../kernel/kernel.js';
import type { ResourceEngine } from '../resources/engine.js';

export interface ClaimRebuildsOptions {
  readonly engines: () => Iterable<ResourceEngine>;
  readonly log: Logger;
  /** Ends for good what is going on. */
  readonly signal: AbortSignal;
}

/**
 * Sees to it that objects from before a plugin claim what it claims for them: once at the start, and whenever the claiming plugins are others.
 * One round at a time; a newer one ends an older, and begins with what that one has left.
 */
export class ClaimRebuilds {
  readonly #options: ClaimRebuildsOptions;
  #known = '';
  #current = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(options: ClaimRebuildsOptions) {
    this.#options = options;
  }

  /** Takes note of who claims now; what follows from it goes on behind. */
  follow({ taps }: Pick<Registrations, 'taps'>): void {
    const claiming = taps.filter(({ hook, mode }) => hook === hooks.admission.claim.name && mode === 'enforce');
    const known = JSON.stringify(claiming.map(({ plugin, name, kinds }) => [plugin, name, kinds]));
    if (known === this.#known || (this.#known === '' && claiming.length === 0)) return;
    this.#known = known;
    this.#current.abort();
    this.#current = new AbortController();
    const signal = AbortSignal.any([this.#options.signal, this.#current.signal]);
    this.#last = this.#last.then(() => this.#rebuild(signal));
  }

  /** Resolves when nothing is being rebuilt. */
  idle(): Promise<void> {
    return this.#last;
  }

  async #rebuild(signal: AbortSignal): Promise<void> {
    const { engines, log } = this.#options;
    for (const engine of engines()) {
      try {
        const { changed, refused } = await engine.rebuildClaims(signal);
        if (changed > 0) log.info('objects from before a plugin were claimed for', { engine: engine.name, changed });
        if (refused.length > 0)
          log.warn('what some objects claim is held by others', { engine: engine.name, refused: refused.slice(0, 10) });
      } catch (error) {
        if (signal.aborted) return;
        log.warn('claims of objects from before a plugin were not made; the next start or reload goes on', { engine: engine.name, error });
      }
    }
  }
}

import type { Context, SecretStore } from '@tappaas/sdk';
import type { StoredSource } from '../config/secret-source.js';

const refreshMs = 60_000;

/**
 * Values from secret stores that configurations refer to. A `Secret` is read synchronously, so values are fetched before the plugin starts
 * and again every minute; if a store does not respond, the last value stays.
 */
export class StoredSecrets {
  readonly #values = new Map<string, Uint8Array>();
  readonly #storeOf: (instance: string) => SecretStore | undefined;

  constructor(storeOf: (instance: string) => SecretStore | undefined) {
    this.#storeOf = storeOf;
  }

  value(source: StoredSource): Uint8Array | undefined {
    return this.#values.get(nameOf(source));
  }

  async fetch(sources: readonly StoredSource[], context: Context): Promise<void> {
    for (const source of sources) {
      const bundle = await this.#storeOf(source.store)?.resolve({ store: source.store, path: source.path }, context);
      const value = bundle?.values[source.key];
      if (value !== undefined) this.#values.set(nameOf(source), value);
    }
  }

  /** Refreshes the values until the context's signal aborts. */
  async keepFresh(sources: () => readonly StoredSource[], context: Context): Promise<void> {
    while (!context.signal.aborted) {
      try {
        await context.clock.sleep(refreshMs, context.signal);
        for (const source of sources()) await this.fetch([source], context).catch((error: unknown) => warn(context, source, error));
      } catch {
        return;
      }
    }
  }
}

const nameOf = ({ store, path, key }: StoredSource): string => JSON.stringify([store, path, key]);

function warn(context: Context, { store, path }: StoredSource, error: unknown): void {
  const reason = error instanceof Error ? error.message : String(error);
  context.log.warn(`secret ${path} of store ${store} could not be read again; the last value stays in use`, { reason });
}

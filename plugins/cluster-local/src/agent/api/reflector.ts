import type { Clock, KubernetesList, KubernetesObject } from '@tappaas/sdk';
import { ApiError, isAnswer, type ApiClient } from './api-client.js';
import { linesOf } from './lines.js';
import { RetryDelay } from './retry-delay.js';

/** The collection to mirror, and callbacks. */
export interface ReflectorOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Path of the collection, such as `/api/v1/pods`. */
  readonly path: string;
  readonly fieldSelector?: string;
  /** Called after every batch of changes, and after the first list even if it is empty. Keys are `namespace/name`. */
  readonly onChange: (keys: ReadonlySet<string>) => void;
  readonly onError: (error: unknown) => void;
}

interface WatchEvent {
  readonly type: string;
  readonly object: KubernetesObject;
}

/** A round that lasted longer counts as stable, so that the next failure starts with a short delay again. */
const steadyMs = 1000;
const pageItems = 500;
const objectsMax = 100_000;

/** Key of an object in the mirror. */
const reflectorKey = ({ metadata }: KubernetesObject): string => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

/**
 * Mirrors a collection: lists it, then watches from there, until aborted.
 *
 * A watch that ends is resumed at its last resourceVersion. If that is too old for the server (410), the collection is listed again, and
 * the differences are reported like other changes. While the server is unavailable, the mirror keeps its last state.
 */
export class Reflector<T extends KubernetesObject> {
  readonly #options: ReflectorOptions;
  readonly #objects = new Map<string, T>();
  #position: string | undefined;
  #synced = false;

  constructor(options: ReflectorOptions) {
    this.#options = options;
  }

  get objects(): ReadonlyMap<string, T> {
    return this.#objects;
  }

  /** Whether the first list is complete. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Runs until aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, onError } = this.#options;
    const delay = new RetryDelay(100, 10_000, random);
    while (!signal.aborted) {
      const startedMs = clock.nowMs();
      const error = await this.#round(signal).catch((error: unknown) => error);
      if (signal.aborted) return;
      if (clock.nowMs() - startedMs > steadyMs) delay.reset();
      if (isAnswer(error, 410)) this.#position = undefined;
      else if (error !== undefined) onError(error);
      else if (clock.nowMs() - startedMs > steadyMs) continue;
      await clock.sleep((error instanceof ApiError ? error.retryAfterMs : undefined) ?? delay.next(), signal).catch(() => undefined);
    }
  }

  async #round(signal: AbortSignal): Promise<void> {
    this.#position ??= await this.#list(signal);
    await this.#watch(this.#position, signal);
  }

  async #list(signal: AbortSignal): Promise<string> {
    const fresh = new Map<string, T>();
    let continueToken = '';
    let position = '';
    do {
      const page = await this.#options.client.request<KubernetesList<T>>({
        method: 'GET',
        path: this.#options.path,
        query: { limit: String(pageItems), ...this.#selector(), ...(continueToken === '' ? {} : { continue: continueToken }) },
        signal,
      });
      const { apiVersion, kind } = page;
      for (const item of page.items)
        fresh.set(reflectorKey(item), { ...item, apiVersion: item.apiVersion ?? apiVersion, kind: item.kind ?? kind.replace(/List$/, '') });
      if (fresh.size > objectsMax) throw new Error(`${this.#options.path} has more than ${objectsMax} objects`);
      continueToken = page.metadata.continue ?? '';
      position = page.metadata.resourceVersion ?? '';
    } while (continueToken !== '');
    this.#replace(fresh);
    return position;
  }

  #replace(fresh: ReadonlyMap<string, T>): void {
    const changed = new Set<string>();
    for (const [key, object] of fresh) {
      if (this.#objects.get(key)?.metadata.resourceVersion !== object.metadata.resourceVersion) changed.add(key);
      this.#objects.set(key, object);
    }
    for (const key of this.#objects.keys()) {
      if (fresh.has(key)) continue;
      this.#objects.delete(key);
      changed.add(key);
    }
    this.#synced = true;
    this.#options.onChange(changed);
  }

  async #watch(from: string, signal: AbortSignal): Promise<void> {
    const timeoutSeconds = Math.round(240 + 240 * this.#options.random());
    const response = await this.#options.client.stream({
      method: 'GET',
      path: this.#options.path,
      query: {
        watch: 'true',
        allowWatchBookmarks: 'true',
        resourceVersion: from,
        timeoutSeconds: String(timeoutSeconds),
        ...this.#selector(),
      },
      signal,
      idleMs: (timeoutSeconds + 30) * 1000,
    });
    try {
      for await (const lines of linesOf(response)) this.#apply(lines.map((line) => JSON.parse(line) as WatchEvent));
    } finally {
      response.destroy();
    }
  }

  #apply(events: readonly WatchEvent[]): void {
    const changed = new Set<string>();
    for (const { type, object } of events) {
      if (type === 'ERROR') {
        const { code = 500, reason = '', message = '' } = object as { code?: number; reason?: string; message?: string };
        throw new ApiError(code, reason, message);
      }
      this.#position = object.metadata.resourceVersion ?? this.#position;
      if (type === 'BOOKMARK') continue;
      const key = reflectorKey(object);
      if (type === 'DELETED') this.#objects.delete(key);
      else this.#objects.set(key, object as T);
      changed.add(key);
    }
    if (changed.size > 0) this.#options.onChange(changed);
  }

  #selector(): Readonly<Record<string, string>> {
    return this.#options.fieldSelector === undefined ? {} : { fieldSelector: this.#options.fieldSelector };
  }
}

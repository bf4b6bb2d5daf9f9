import type { Clock, Immutable } from '@tappaas/sdk';
import type { Keep } from './kept.js';
import type { Indexer } from './object-cache.js';
import type { CachedObject, Source } from './source.js';

export interface InformerOptions<T extends CachedObject> {
  /** What is watched, for messages. */
  readonly name: string;
  readonly source: Source<T>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Delay after the nth failure in a row, with jitter; to recover within 30 s it must stay below 20 s. */
  readonly backoff: (failures: number) => number;
  /** What is kept of an object. Default: all but managed fields. */
  readonly project?: (object: T) => T;
  /** How an object is kept until it is read again. Default: as it is. */
  readonly keep?: Keep<T>;
  readonly indexers?: Readonly<Record<string, Indexer<Immutable<T>>>>;
  /** A watch is ended and begun anew after this time to twice this time. Default 5 min. */
  readonly watchMs?: number;
  /** A watch that says nothing for this long is taken for half-open. Default 25,000; servers send bookmarks meanwhile or not. */
  readonly silenceMsMax?: number;
  /** Shows every object to the handlers again after this time, from the cache. Default: never. */
  readonly resyncMs?: number;
  /** Default 1,000,000. */
  readonly itemsMax?: number;
  /** Keys that one handler may fail to take before the watch pauses for it. Default 10,000. */
  readonly behindKeysMax?: number;
  /** Readers that may wait for a revision at once. Default 100,000. */
  readonly waitersMax?: number;
  readonly onError?: (error: unknown) => void;
}

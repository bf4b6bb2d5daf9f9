import type { Clock, Immutable } from '@tappaas/sdk';
import type { Keep } from './stored-form.js';
import type { Indexer } from './object-cache.js';
import type { CachedObject, Source } from './source.js';

export interface InformerOptions<T extends CachedObject> {
  /** Name of what is watched, for messages. */
  readonly name: string;
  readonly source: Source<T>;
  readonly clock: Clock;
  readonly random: () => number;
  /** Returns the delay after the nth consecutive failure, with jitter; it must stay below 20 s to recover within 30 s. */
  readonly backoff: (failures: number) => number;
  /** Selects the part of an object to keep. Default: all but managed fields. */
  readonly project?: (object: T) => T;
  /** How an object is stored between reads. Default: as it is. */
  readonly keep?: Keep<T>;
  readonly indexers?: Readonly<Record<string, Indexer<Immutable<T>>>>;
  /** A watch is ended and reopened after one to two times this time. Default 5 min. */
  readonly watchMs?: number;
  /** A watch without any event for this long is considered half-open, whether or not the server sends bookmarks. Default 25,000. */
  readonly silenceMsMax?: number;
  /** Delivers every object to the handlers again at this interval, from the cache. Default: never. */
  readonly resyncMs?: number;
  /** Default 1,000,000. */
  readonly itemsMax?: number;
  /** Failed keys that one handler may have before the watch pauses for it. Default 10,000. */
  readonly behindKeysMax?: number;
  /** Readers that may wait for a revision at the same time. Default 100,000. */
  readonly waitersMax?: number;
  readonly onError?: (error: unknown) => void;
}

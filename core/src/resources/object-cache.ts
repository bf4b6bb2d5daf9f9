import type { Awaitable, Clock, KeyValue, ResourceStore, TapError } from '@tappaas/sdk';
import type { KindEntry } from './kind-entry.js';
import { fieldText } from './selectors/field-selector.js';
import { fromStore, type Sealer, type StoredObject } from './stored-object.js';
import type { OpenWatchCache, WatchCache } from './watch-cache.js';

/** The cache of one kind's objects. */
export type ObjectCache = WatchCache<StoredObject>;

/** What the engine's caches have in common. */
export interface CacheMaker {
  readonly store: ResourceStore;
  readonly clock: Clock;
  readonly open: OpenWatchCache;
  readonly decode: (entry: KindEntry, stored: KeyValue) => Awaitable<StoredObject>;
  readonly onProblem: (kind: string, problem: TapError) => void;
}

/** Names of indexes; each field that selectors may use has one, named `field:` and its path. */
export const indexNames = { label: 'label', owner: 'owner', field: (path: string) => `field:${path}` };

/** Opens the cache of a kind. */
export function openObjectCache(entry: KindEntry, { store, clock, open, decode, onProblem }: CacheMaker): ObjectCache {
  return open<StoredObject>({
    store,
    clock,
    prefix: entry.prefix,
    decode: (stored) => decode(entry, stored),
    encode: (stored) => stored.bytes,
    restamp: (stored, revision) => stored.at(revision, store.epoch),
    indexes: indexesOf(entry),
    onProblem: (problem) => onProblem(entry.kind, problem),
  });
}

/** Decodes a stored object of a kind; confidential ones are unsealed first. */
export function decodeStored(
  { isConfidential }: KindEntry,
  stored: KeyValue,
  epoch: number,
  sealer: Sealer | undefined,
): Awaitable<StoredObject> {
  if (!isConfidential || sealer === undefined) return fromStore(stored.value, stored, epoch);
  const opened = sealer.open(stored.value, stored.key);
  return opened instanceof Promise ? opened.then((plain) => fromStore(plain, stored, epoch)) : fromStore(opened, stored, epoch);
}

type Index = (stored: StoredObject) => readonly string[];

function indexesOf(entry: KindEntry): Readonly<Record<string, Index>> {
  const fields = [...entry.fields].map(([path, names]): [string, Index] => [
    indexNames.field(path),
    ({ lean }) => [fieldText(lean, names)],
  ]);
  return {
    [indexNames.label]: ({ lean }) => Object.entries(lean.metadata.labels ?? {}).flatMap(([name, value]) => [name, `${name}=${value}`]),
    [indexNames.owner]: ({ lean }) => (lean.metadata.ownerReferences ?? []).map((owner) => owner.uid),
    ...Object.fromEntries(fields),
  };
}

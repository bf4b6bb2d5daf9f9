import { SortedKeys } from '@tappaas/sdk/store';
import type { Journal } from './journal.js';

/** Maximum number of changes in one revision, so that `revision × 2,048 + position` identifies a row of the log. */
const positionsMax = 2_048;

/** One row of the log without its value; a `version` of 0 is a deletion. */
export interface Version {
  readonly key: string;
  readonly id: number;
  readonly createRevision: number;
  readonly version: number;
  readonly lease: string | undefined;
  /** The version that it superseded, as long as that can still be read. */
  older: Version | undefined;
}

export function rowId(revision: number, position: number): number {
  return revision * positionsMax + position;
}

export function revisionOf({ id }: Pick<Version, 'id'>): number {
  return Math.floor(id / positionsMax);
}

/** All keys with their readable versions; values stay on disk. */
export class KeyIndex {
  readonly #journal: Journal;
  readonly #newest = new Map<string, Version>();
  readonly #order = new SortedKeys();
  /** The keys that are deleted at present. */
  readonly #deleted = new SortedKeys();
  /** Versions that superseded another one or are deletions, in the order of revisions; compaction works through them. */
  #superseding: Version[] = [];
  #superseded = 0;

  constructor(journal: Journal) {
    this.#journal = journal;
  }

  /** The present version of a key; undefined if it does not exist. */
  current(key: string): Version | undefined {
    const newest = this.#newest.get(key);
    return newest?.version === 0 ? undefined : newest;
  }

  /** The version of a key at `revision`; undefined if it did not exist then. */
  at(key: string, revision: number): Version | undefined {
    let found = this.#newest.get(key);
    while (found !== undefined && revisionOf(found) > revision) found = found.older;
    return found?.version === 0 ? undefined : found;
  }

  /** The version in a row of the log. */
  inRow(key: string, id: number): Version | undefined {
    let found = this.#newest.get(key);
    while (found !== undefined && found.id > id) found = found.older;
    return found;
  }

  /** The versions in the interval at `revision`, in key order. */
  *between(start: string, end: string | undefined, revision: number): Generator<Version, void, undefined> {
    for (const key of this.#order.between(start, end)) {
      const found = this.at(key, revision);
      if (found !== undefined) yield found;
    }
  }

  /** Number of existing keys in the interval, without iterating over it. */
  count(start: string, end: string): number {
    return this.#order.countBetween(start, end) - this.#deleted.countBetween(start, end);
  }

  /** Adds the newest version of its key. */
  put(row: Omit<Version, 'older'>): Version {
    const older = this.#newest.get(row.key);
    const { id, createRevision, lease } = row;
    // There are many versions: they share the key's string, and the literal keeps all fields in the object itself.
    const version: Version = { key: older?.key ?? row.key, id, createRevision, version: row.version, lease, older };
    this.#newest.set(row.key, version);
    if (older === undefined) this.#order.add(row.key);
    this.#noteDeletion(row.key, version);
    const superseding = older !== undefined || version.version === 0;
    if (superseding) this.#superseding.push(version);
    this.#journal.record(() => {
      if (superseding) this.#superseding.pop();
      this.#noteDeletion(row.key, older);
      if (older !== undefined) return void this.#newest.set(row.key, older);
      this.#newest.delete(row.key);
      this.#order.delete(row.key);
    });
    return version;
  }

  #noteDeletion(key: string, newest: Version | undefined): void {
    if (newest?.version === 0) this.#deleted.add(key);
    else if (this.#deleted.size > 0) this.#deleted.delete(key);
  }

  /** The next versions, at most `max`, whose predecessors are unreadable once everything up to `revision` is compacted. */
  garbage(revision: number, max: number): readonly Version[] {
    let end = this.#superseded;
    while (end - this.#superseded < max && end < this.#superseding.length && revisionOf(this.#superseding[end] as Version) <= revision)
      end++;
    return this.#superseding.slice(this.#superseded, end);
  }

  /** Drops the predecessors of the first versions of {@link garbage}, once the log has deleted their rows. */
  drop(versions: readonly Version[]): void {
    for (const version of versions) {
      version.older = undefined;
      if (version.version !== 0 || this.#newest.get(version.key) !== version) continue;
      this.#newest.delete(version.key);
      this.#order.delete(version.key);
      this.#deleted.delete(version.key);
    }
    this.#superseded += versions.length;
    if (this.#superseded < 10_000 || this.#superseded < this.#superseding.length / 2) return;
    this.#superseding = this.#superseding.slice(this.#superseded);
    this.#superseded = 0;
  }
}

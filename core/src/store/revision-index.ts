import { SortedKeys, type KeyValue } from '@tappaas/sdk';

/** The state of a key from `revision` on; without `current` it was deleted then. */
interface Version {
  readonly revision: number;
  readonly current?: KeyValue;
}

/** Every key with its versions, oldest first, so that past revisions can be read. */
export class RevisionIndex {
  readonly #versions = new Map<string, Version[]>();
  readonly #keys = new SortedKeys();
  #bytes = 0;

  /** Total size of the keys and values of all kept versions. */
  get sizeBytes(): number {
    return this.#bytes;
  }

  at(key: string, revision: number): KeyValue | undefined {
    return this.#versions.get(key)?.findLast((version) => version.revision <= revision)?.current;
  }

  newest(key: string): KeyValue | undefined {
    return this.#versions.get(key)?.at(-1)?.current;
  }

  /** Yields the key values in the interval at `revision`, in key order. */
  *between(start: string, end: string, revision: number): Generator<KeyValue, void, undefined> {
    for (const key of this.#keys.between(start, end)) {
      const found = this.at(key, revision);
      if (found !== undefined) yield found;
    }
  }

  /** Yields all current key values in key order. */
  *all(): Generator<KeyValue, void, undefined> {
    for (const key of this.#keys.between('')) {
      const found = this.newest(key);
      if (found !== undefined) yield found;
    }
  }

  write(key: string, version: Version): void {
    const versions = this.#versions.get(key);
    if (versions === undefined) {
      this.#versions.set(key, [version]);
      this.#keys.add(key);
    } else {
      versions.push(version);
    }
    this.#bytes += sizeOf(key, version);
  }

  /** Drops versions that were superseded or deleted at or before `revision`. */
  forget(revision: number): void {
    for (const [key, versions] of this.#versions) {
      const standing = versions.findLastIndex((version) => version.revision <= revision);
      if (standing < 0) continue;
      const deleted = versions[standing]?.current === undefined;
      for (const gone of versions.splice(0, deleted ? standing + 1 : standing)) this.#bytes -= sizeOf(key, gone);
      if (versions.length > 0) continue;
      this.#versions.delete(key);
      this.#keys.delete(key);
    }
  }
}

function sizeOf(key: string, version: Version): number {
  return key.length + (version.current?.value.byteLength ?? 0);
}

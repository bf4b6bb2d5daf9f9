import type { Named } from './room-message.js';

/** What a room has told while it tells all objects, over the breaks on the way: each join tells them from the first one on. */
export class RoomListing {
  readonly #told = new Map<string, Named>();
  /** What was told before the present join, and has not come again. */
  #unseen = new Set<string>();

  begin(): void {
    this.#unseen = new Set(this.#told.keys());
  }

  /** Whether an object that comes has been told as it is now. */
  knows(object: Named): boolean {
    const key = keyOf(object);
    this.#unseen.delete(key);
    return this.#told.get(key)?.metadata.resourceVersion === object.metadata.resourceVersion;
  }

  tell(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Named): void {
    if (type === 'DELETED') this.#told.delete(keyOf(object));
    else this.#told.set(keyOf(object), referenceTo(object));
  }

  /** When all have come: what was told and is not among them has gone meanwhile. */
  gone(): readonly Named[] {
    return [...this.#unseen].flatMap((key) => this.#told.get(key) ?? []);
  }
}

function keyOf({ metadata }: Named): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

function referenceTo({ apiVersion, kind, metadata: { name, namespace, resourceVersion } }: Named): Named {
  return {
    ...(apiVersion !== undefined && { apiVersion }),
    ...(kind !== undefined && { kind }),
    metadata: { name, ...(namespace !== undefined && { namespace }), resourceVersion },
  };
}

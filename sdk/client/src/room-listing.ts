import type { Named } from './room-message.js';

/** The objects that a room has delivered during the initial listing, across broken connections: each join lists them from the start. */
export class RoomListing {
  readonly #delivered = new Map<string, Named>();
  /** Objects that were delivered before the present join, and have not been listed again yet. */
  #unseen = new Set<string>();

  begin(): void {
    this.#unseen = new Set(this.#delivered.keys());
  }

  /** Whether a listed object was already delivered in this version. */
  hasDelivered(object: Named): boolean {
    const key = keyOf(object);
    this.#unseen.delete(key);
    return this.#delivered.get(key)?.metadata.resourceVersion === object.metadata.resourceVersion;
  }

  recordDelivery(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: Named): void {
    if (type === 'DELETED') this.#delivered.delete(keyOf(object));
    else this.#delivered.set(keyOf(object), referenceTo(object));
  }

  /** Call it when the listing is complete: the objects that were delivered before and are missing now, since they were deleted. */
  missing(): readonly Named[] {
    return [...this.#unseen].flatMap((key) => this.#delivered.get(key) ?? []);
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

import type { ResourceStore } from '@tappaas/sdk';
import type { OpenApiSchema } from '@tappaas/sdk/kubernetes';
import { endOf, type KeySpace } from './key-space.js';
import { describeKind, type KindDescription, type VersionDescription } from './kind-description.js';
import { groupKindOf, type KindEntry, type KindRegistration } from './kind-entry.js';
import { kernel } from './kinds/kernel-kinds.js';
import { kindEntry, orphanEntry } from './registry.js';

/** The record of a kind, which outlives the plugin that contributed it. */
interface Remembered {
  readonly plugin: string;
  readonly isConfidential: boolean;
  readonly description: Omit<KindDescription, 'versions'>;
  /** The stored version only, because no code is left for conversion. */
  readonly version: { readonly version: string; readonly schemaName: string; readonly components: Readonly<Record<string, OpenApiSchema>> };
}

/** Maximum number of kinds that one engine remembers. */
const cachedKindsMax = 10_000;

/**
 * Records the kinds that plugins contribute, so that stored objects stay readable when a plugin is no longer loaded. Writes only changed
 * records, and forgets kinds without objects.
 */
export class KindMemory {
  readonly #store: ResourceStore;
  readonly #keys: KeySpace;

  constructor(store: ResourceStore, keys: KeySpace) {
    this.#store = store;
    this.#keys = keys;
  }

  /** Returns entries of recorded kinds that none of `registrations` contributes and that still have objects. */
  async orphans(registrations: readonly KindRegistration[]): Promise<readonly KindEntry[]> {
    const present = new Set(registrations.map(({ kind }) => groupKindOf(kind)));
    const orphans: KindEntry[] = [];
    for (const { key, value } of await this.#records()) {
      const remembered = JSON.parse(new TextDecoder().decode(value)) as Remembered;
      const { description, version, plugin, isConfidential } = remembered;
      if (present.has(groupKindOf(description))) continue;
      const { components, ...rest } = version;
      const versions: [VersionDescription] = [{ ...rest, components: () => components }];
      const entry = orphanEntry({ ...description, versions }, { plugin, isConfidential }, this.#keys);
      if (await this.#hasObjects(entry)) orphans.push(entry);
      else await this.#store.transact({ changes: [{ delete: key }] });
    }
    return orphans;
  }

  /** Records the kinds of plugins; the platform's own kinds are always present. */
  async remember(registrations: readonly KindRegistration[]): Promise<void> {
    const known = new Map((await this.#records()).map(({ key, value }) => [key, Buffer.from(value).toString()]));
    for (const registration of registrations) {
      if (registration.plugin === kernel || registration.virtual) continue;
      const { versions, ...description } = describeKind(registration);
      const { version, schemaName, components } = versions[0];
      const { plugin } = registration;
      const { isConfidential } = kindEntry(registration, this.#keys);
      const remembered: Remembered = { plugin, isConfidential, description, version: { version, schemaName, components: components() } };
      const key = this.#keyOf(description);
      const text = JSON.stringify(remembered);
      if (known.get(key) !== text) await this.#store.transact({ changes: [{ put: key, value: Buffer.from(text) }] });
    }
  }

  async forget(entry: KindEntry): Promise<void> {
    await this.#store.transact({ changes: [{ delete: this.#keyOf(entry) }] });
  }

  #keyOf({ group, kind }: { readonly group: string; readonly kind: string }): string {
    return this.#keys.record('kind', `${group}/${kind}`);
  }

  async #records(): Promise<readonly { readonly key: string; readonly value: Uint8Array }[]> {
    const start = this.#keys.record('kind', '');
    const { items } = await this.#store.range({ start, end: endOf(start), itemsMax: cachedKindsMax });
    return items;
  }

  async #hasObjects(entry: KindEntry): Promise<boolean> {
    const { items } = await this.#store.range({ start: entry.prefix, end: endOf(entry.prefix), itemsMax: 1 });
    return items.length > 0;
  }
}

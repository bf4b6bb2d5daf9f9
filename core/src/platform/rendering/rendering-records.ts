import type { Immutable, ResourceStore } from '@tappaas/sdk';
import type { InventoryEntry } from '../../reconcile/inventory.js';
import type { EngineObject } from '../engine-object.js';
import { storeRecord, type StoreRecord } from '../store-record.js';

/** Data about an object's rendering besides its releases. */
export interface RenderingRecord {
  readonly cluster?: string;
  readonly release?: string;
  readonly renderKey?: string;
  readonly inventory?: readonly InventoryEntry[];
  /** The release that was last observed to serve, and its inputs. */
  readonly serving?: { readonly release: string; readonly inputs: Readonly<Record<string, string>> };
  /** The latest failed release, and the reason. */
  readonly failed?: { readonly release: string; readonly message: string };
  /** Generation of the object whose Operation a user cancelled. */
  readonly cancelled?: number;
}

/** The record of one object's rendering. */
export interface StoredRecord extends Pick<StoreRecord<RenderingRecord>, 'load' | 'save' | 'remove'> {
  /**
   * Writes the record with the next `save` of the run, or at the end of the run if there is a release. For data that only the rest of the
   * run needs, and that need not be durable before.
   */
  saveLater(value: RenderingRecord): void;
}

/**
 * The records of renderings. They are in the store because they must outlive a crash between two writes. A run reads its object's record
 * once: there are no concurrent writers, since runs of one key never overlap.
 */
export class RenderingRecords {
  readonly #store: ResourceStore;
  /** Records of the objects being processed, by uid. */
  readonly #known = new Map<string, { record?: RenderingRecord | undefined; isRead: boolean; isUnsaved: boolean }>();

  constructor(store: ResourceStore) {
    this.#store = store;
  }

  /** Runs `run` as the only run of an object. */
  async during<T>(uid: string, run: () => Promise<T>): Promise<T> {
    const known = { isRead: false, isUnsaved: false } as { record?: RenderingRecord; isRead: boolean; isUnsaved: boolean };
    this.#known.set(uid, known);
    try {
      const result = await run();
      if (known.isUnsaved && known.record?.release !== undefined) await this.#stored(uid).save(known.record);
      return result;
    } finally {
      this.#known.delete(uid);
    }
  }

  of({ metadata: { uid } }: Immutable<EngineObject>): StoredRecord {
    const stored = this.#stored(uid);
    const note = (record: RenderingRecord | undefined, isUnsaved = false): void => {
      const known = this.#known.get(uid);
      if (known) Object.assign(known, { record, isRead: true, isUnsaved });
    };
    return {
      load: async () => {
        const known = this.#known.get(uid);
        if (known?.isRead) return known.record;
        const record = await stored.load();
        note(record);
        return record;
      },
      save: async (record) => {
        await stored.save(record);
        note(record);
      },
      saveLater: (record) => note(record, true),
      remove: async () => {
        await stored.remove();
        note(undefined);
      },
    };
  }
  #stored(uid: string): StoreRecord<RenderingRecord> {
    return storeRecord(this.#store, `rendering/${uid}`);
  }
}

import type { Immutable, ResourceStore } from '@tappaas/sdk';
import type { InventoryEntry } from '../../reconcile/inventory.js';
import type { EngineObject } from '../engine-object.js';
import { storeRecord, type StoreRecord } from '../store-record.js';

/** What is remembered of an object's rendering beside its releases. */
export interface RenderingRecord {
  readonly cluster?: string;
  readonly release?: string;
  readonly renderKey?: string;
  readonly inventory?: readonly InventoryEntry[];
  /** What was last seen to serve. */
  readonly serving?: { readonly release: string; readonly inputs: Readonly<Record<string, string>> };
  /** The newest release that failed, and why. */
  readonly failed?: { readonly release: string; readonly message: string };
  /** Generation of the object whose Operation a person stopped. */
  readonly cancelled?: number;
}

/** The record of one object's rendering. */
export interface KeptRecord extends Pick<StoreRecord<RenderingRecord>, 'load' | 'save' | 'remove'> {
  /**
   * Writes it with the next `save` of the run, or at its end once there is a release; what only the rest of it relies on need not be
   * durable before.
   */
  saveLater(value: RenderingRecord): void;
}

/**
 * The records of renderings: in the store, since they must outlive a crash between two writes. A run reads its object's record once:
 * nobody else writes it meanwhile, since two runs of one key never overlap.
 */
export class RenderingRecords {
  readonly #store: ResourceStore;
  /** Records of the objects being processed, by uid. */
  readonly #known = new Map<string, { record?: RenderingRecord | undefined; isRead: boolean; isUnsaved: boolean }>();

  constructor(store: ResourceStore) {
    this.#store = store;
  }

  /** Runs the one run of an object that there is now. */
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

  of({ metadata: { uid } }: Immutable<EngineObject>): KeptRecord {
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

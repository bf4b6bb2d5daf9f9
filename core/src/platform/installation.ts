import { randomUUID } from 'node:crypto';
import type { ResourceStore } from '@tappaas/sdk';
import { storeRecord } from './store-record.js';

/** The identity of this platform towards its clusters, and whether the content of its store may be applied to them. */
export interface Installation {
  /** Value of a label on everything that the platform creates on any cluster. */
  readonly id: string;
  confirmation(): { readonly isConfirmed: true } | { readonly isConfirmed: false; readonly message: string };
  /** Confirms the store, after a person has reviewed the differences. */
  confirm(): Promise<void>;
}

interface Stored {
  readonly id: string;
  readonly confirmedEpoch: number;
}

const unconfirmed =
  'the store was restored since applications were last brought to their clusters; nothing is applied or pruned until a person confirms with POST /plugins/platform/confirm';

/**
 * Opens the installation. A restored store has a higher epoch than the confirmed one; a new store is a new installation, which owns nothing
 * yet.
 */
export async function openInstallation(store: ResourceStore): Promise<Installation> {
  const record = storeRecord<Stored>(store, 'platform/installation');
  await record.create({ id: randomUUID(), confirmedEpoch: store.epoch });
  let stored = (await record.load()) ?? { id: randomUUID(), confirmedEpoch: store.epoch };
  return {
    id: stored.id,
    confirmation: () => (store.epoch <= stored.confirmedEpoch ? { isConfirmed: true } : { isConfirmed: false, message: unconfirmed }),
    async confirm() {
      stored = { ...stored, confirmedEpoch: store.epoch };
      await record.save(stored);
    },
  };
}

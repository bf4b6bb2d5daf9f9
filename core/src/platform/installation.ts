import { randomUUID } from 'node:crypto';
import type { ResourceStore } from '@tappaas/sdk';
import { storeRecord } from './store-record.js';

/** Who this platform is to its clusters, and whether what its store says may be brought to them. */
export interface Installation {
  /** In a label of everything that the platform makes on any cluster. */
  readonly id: string;
  confirmation(): { readonly isConfirmed: true } | { readonly isConfirmed: false; readonly message: string };
  /** A person has looked at the diff. */
  confirm(): Promise<void>;
}

interface Stored {
  readonly id: string;
  readonly confirmedEpoch: number;
}

const unconfirmed =
  'the store was restored since applications were last brought to their clusters; nothing is applied or pruned until a person confirms with POST /plugins/platform/confirm';

/** A store that was restored carries a higher epoch than the one confirmed; a new store makes a new installation, which owns nothing yet. */
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

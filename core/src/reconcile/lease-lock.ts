import { isTapError, type ResourceStore } from '@tappaas/sdk';

/** A lease with its holder. Its create revision differs each time it is taken, which makes it usable as a fence. */
export interface HeldLease {
  readonly key: string;
  readonly createRevision: number;
  /** Identifies the lease to the lock that granted it. */
  readonly id: string;
}

/** A lock with at most one holder, which loses it unless it renews within the time to live. */
export interface LeaseLock {
  /** Returns undefined if another holder has it. */
  acquire(holder: string, ttlMs: number, signal: AbortSignal): Promise<HeldLease | undefined>;
  /** Returns false if the lease is gone; throws if that is unknown. */
  renew(lease: HeldLease, signal: AbortSignal): Promise<boolean>;
  release(lease: HeldLease): Promise<void>;
}

/** Makes a lock from a key of the platform's store under a store lease: renewals write nothing, and the store handles expiry. */
export function storeLeaseLock(
  store: Pick<ResourceStore, 'get' | 'transact' | 'grantLease' | 'keepLeaseAlive' | 'revokeLease'>,
  key: string,
): LeaseLock {
  return {
    async acquire(holder, ttlMs) {
      if ((await store.get(key)) !== undefined) return undefined;
      const lease = await store.grantLease(ttlMs);
      const value = new TextEncoder().encode(JSON.stringify({ holder }));
      const put = { put: key, value, lease: lease.id };
      const result = await store.transact({ guards: [{ key, modRevision: 0 }], changes: [put] });
      if (result.ok) return { key, createRevision: result.revision, id: lease.id };
      await store.revokeLease(lease.id);
      return undefined;
    },
    async renew(lease) {
      try {
        await store.keepLeaseAlive(lease.id);
        return true;
      } catch (error) {
        if (isTapError(error, 'TAP_STORE_LEASE_GONE')) return false;
        throw error;
      }
    },
    async release(lease) {
      try {
        await store.revokeLease(lease.id);
      } catch (error) {
        if (!isTapError(error, 'TAP_STORE_LEASE_GONE')) throw error;
      }
    },
  };
}

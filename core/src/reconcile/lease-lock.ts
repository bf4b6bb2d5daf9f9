import { isTapError, type ResourceStore } from '@tappaas/sdk';

/** A lease somebody holds. Its create revision is different each time it is taken, which is what makes it a fence. */
export interface HeldLease {
  readonly key: string;
  readonly createRevision: number;
  /** Names it to the lock that gave it. */
  readonly id: string;
}

/** A lock that at most one holder has, and that is lost when it is not renewed for its time to live. */
export interface LeaseLock {
  /** Nothing when somebody else holds it. */
  acquire(holder: string, ttlMs: number, signal: AbortSignal): Promise<HeldLease | undefined>;
  /** False when it is gone. Throws when that is not known. */
  renew(lease: HeldLease, signal: AbortSignal): Promise<boolean>;
  release(lease: HeldLease): Promise<void>;
}

/** A lock that is a key of the platform's store under one of its leases: renewing writes nothing, and expiry is the store's. */
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

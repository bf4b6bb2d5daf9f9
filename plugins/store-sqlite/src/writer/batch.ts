import { storeErrors, storeLimits, type Guard, type KeyValue } from '@tappaas/sdk/store';
import type { WireChange, WireError, WireOperation, WireResult, WireStamp } from '../protocol.js';
import { wireError } from '../wire-error.js';
import { revisionOf, rowId } from './key-index.js';
import type { Ledger } from './ledger.js';

/** The stamp for deleting a missing key. */
const untouched: WireStamp = { createRevision: 0, version: 0 };

/**
 * Applies operations in order, each seeing the effects of those before it, to the ledger and to an open database transaction.
 *
 * Committing and responding is left to the writer.
 */
export class Batch {
  readonly #ledger: Ledger;
  readonly #begin: () => void;
  readonly #withPrevious: boolean;

  /** `begin` is called before every write, and must tolerate repeated calls; `withPrevious` adds the previous state to each stamp. */
  constructor(ledger: Ledger, begin: () => void, withPrevious: boolean) {
    this.#ledger = ledger;
    this.#begin = begin;
    this.#withPrevious = withPrevious;
  }

  /** Applies one operation. `values` contains the values of its puts, one after the other. */
  apply(operation: WireOperation, values: Uint8Array): WireResult {
    switch (operation.kind) {
      case 'transact':
        return this.#transact(operation, values);
      case 'grant':
        return this.#grant(operation.ttlMs);
      case 'revoke':
        return this.#revoke(operation.lease);
      case 'compact':
        return this.#compact(operation.revision);
    }
  }

  #transact({ guards, claims, changes }: Extract<WireOperation, { kind: 'transact' }>, values: Uint8Array): WireResult {
    const { journal } = this.#ledger;
    const failedGuard = guards.findIndex((guard) => !this.#holds(guard));
    if (failedGuard >= 0) return this.#guardRefused(failedGuard, guards[failedGuard] as Guard);
    const mark = journal.mark();
    const claimed = claims.length > 0 && this.#ledger.claims.take(claims);
    const leaseFault = this.#leaseFault(changes);
    if (typeof claimed === 'object' || leaseFault !== undefined) journal.undoTo(mark);
    if (typeof claimed === 'object') return { kind: 'refused', result: { ok: false, revision: this.#ledger.revision, ...claimed } };
    if (leaseFault !== undefined) return { kind: 'failed', error: leaseFault };
    return { kind: 'done', ...this.#change(changes, values, claimed) };
  }

  #leaseFault(changes: readonly WireChange[]): WireError | undefined {
    const { leases } = this.#ledger;
    const added = new Map<string, number>();
    for (const { key, lease } of changes) {
      if (lease === undefined) continue;
      if (!leases.has(lease)) return leaseExpired(lease);
      if (leases.holds(lease, key)) continue;
      added.set(lease, (added.get(lease) ?? 0) + 1);
      if (leases.keyCount(lease) + (added.get(lease) ?? 0) > storeLimits.leaseKeysMax) return leaseFull(lease);
    }
    return undefined;
  }

  #holds(guard: Guard): boolean {
    if ('lease' in guard) return this.#ledger.leases.has(guard.lease);
    const current = this.#ledger.keys.current(guard.key);
    if ('createRevision' in guard) return (current?.createRevision ?? 0) === guard.createRevision;
    return (current === undefined ? 0 : revisionOf(current)) === guard.modRevision;
  }

  #guardRefused(failedGuard: number, guard: Guard): WireResult {
    const current = 'key' in guard ? this.#read(guard.key) : undefined;
    return { kind: 'refused', result: { ok: false, revision: this.#ledger.revision, failedGuard, ...(current && { current }) } };
  }

  #read(key: string): KeyValue | undefined {
    const found = this.#ledger.keys.current(key);
    return found && this.#ledger.log.keyValue(found);
  }

  /** Makes the changes at the next revision, which is used only if something changes. */
  #change(changes: readonly WireChange[], values: Uint8Array, claimed: boolean): { revision: number; stamps: readonly WireStamp[] } {
    const { keys, leases, log, revision: before } = this.#ledger;
    const revision = before + 1;
    let offset = 0;
    let position = 0;
    const stamps = changes.map(({ key, length, lease }): WireStamp => {
      const current = keys.current(key);
      const deletes = length < 0;
      if (deletes && current === undefined) return untouched;
      this.#begin();
      const previous = this.#withPrevious && current !== undefined ? log.keyValue(current) : undefined;
      const row = {
        key,
        id: rowId(revision, position++),
        createRevision: deletes ? 0 : (current?.createRevision ?? revision),
        version: deletes ? 0 : (current?.version ?? 0) + 1,
        lease,
      };
      log.append(row, deletes ? undefined : values.subarray(offset, offset + length));
      leases.follow(keys.put(row));
      if (!deletes) offset += length;
      return {
        createRevision: row.createRevision,
        version: row.version,
        ...(deletes && { createRevision: revision }),
        ...(previous && { previous }),
      };
    });
    if (position === 0 && !claimed) return { revision: before, stamps };
    this.#begin();
    this.#ledger.setRevision(revision);
    return { revision, stamps };
  }

  #grant(ttlMs: number): WireResult {
    if (this.#ledger.leases.size >= storeLimits.leasesMax) {
      const message = `${storeLimits.leasesMax} leases are alive, which is the most a store keeps`;
      return { kind: 'failed', error: wireError(storeErrors.TAP_STORE_TOO_LARGE({ message })) };
    }
    this.#begin();
    const lease = { id: this.#ledger.nextLeaseId(), ttlMs };
    this.#ledger.leases.add(lease);
    this.#ledger.saveLease(lease.id, ttlMs);
    return { kind: 'granted', lease };
  }

  #revoke(lease: string): WireResult {
    if (!this.#ledger.leases.has(lease)) return { kind: 'failed', error: leaseExpired(lease) };
    this.#begin();
    const keys = this.#ledger.leases.keysOf(lease);
    this.#ledger.leases.remove(lease);
    this.#ledger.saveLease(lease, undefined);
    const deletions = keys.map((key) => ({ key, length: -1 }));
    return { kind: 'revoked', keys, ...this.#change(deletions, new Uint8Array(0), false) };
  }

  #compact(revision: number): WireResult {
    const { revision: newest, compactedRevision } = this.#ledger;
    if (revision > newest) return { kind: 'failed', error: futureRevision(revision, newest) };
    if (revision <= compactedRevision) return { kind: 'failed', error: compacted(revision, compactedRevision) };
    this.#begin();
    this.#ledger.setCompacted(revision);
    return { kind: 'compacted', revision };
  }
}

/** The error for a revision that was compacted. */
export function compacted(revision: number, oldest: number): WireError {
  const message = `revision ${revision} has been compacted, the oldest still to be had is ${oldest}`;
  return wireError(storeErrors.TAP_STORE_COMPACTED({ message, data: { revision: oldest } }));
}

/** The error for a revision that does not exist yet. */
export function futureRevision(revision: number, newest: number): WireError {
  return wireError(storeErrors.TAP_STORE_FUTURE_REVISION({ message: `revision ${revision} does not exist yet, the newest is ${newest}` }));
}

function leaseExpired(lease: string): WireError {
  return wireError(storeErrors.TAP_STORE_LEASE_GONE({ message: `lease ${lease} has ended` }));
}

function leaseFull(lease: string): WireError {
  const message = `lease ${lease} would have more than ${storeLimits.leaseKeysMax} keys, which end in one transaction`;
  return wireError(storeErrors.TAP_STORE_TOO_LARGE({ message }));
}

import { storeErrors } from './store-errors.js';
import type { Change, RangeQuery, Transaction } from './store.js';

/** The limits that every store supports and enforces. */
export const storeLimits = Object.freeze({
  /** Guards, claims and changes of one transaction, together. */
  operationsMax: 1_024,
  /** Bytes of all values of one transaction. */
  valuesBytesMax: 8 * 1_024 * 1_024,
  /** A key, or the name or holder of a claim, in bytes of UTF-8. */
  keyBytesMax: 1_024,
  /** Items of one page. */
  itemsMax: 10_000,
  /** Bytes of the values of one page: it ends early, after at least one item. */
  pageBytesMax: 8 * 1_024 * 1_024,
  /** Leases alive at a time. */
  leasesMax: 10_000,
  /** Keys attached to one lease. */
  leaseKeysMax: 1_024,
  /** Time to live of a lease. */
  leaseTtlMsMin: 100,
  leaseTtlMsMax: 24 * 60 * 60 * 1_000,
});

/** Refuses an invalid transaction, with the same checks and messages for every store. @throws TAP_STORE_INVALID, TAP_STORE_TOO_LARGE */
export function checkTransaction({ guards = [], claims = [], changes }: Transaction): void {
  const operations = guards.length + claims.length + changes.length;
  if (operations > storeLimits.operationsMax) throw tooLarge(`a transaction has ${operations} operations`, storeLimits.operationsMax);
  for (const guard of guards) checkKey('key' in guard ? guard.key : guard.lease);
  for (const claim of claims) {
    checkKey('counter' in claim ? claim.counter : 'unique' in claim ? claim.unique : claim.release);
    if ('holder' in claim) checkKey(claim.holder);
    else if (!Number.isSafeInteger(claim.amount)) throw invalid(`counter ${claim.counter}: expected a whole amount, found ${claim.amount}`);
  }
  checkChanges(changes);
}

function checkChanges(changes: readonly Change[]): void {
  const keys = new Set<string>();
  let bytes = 0;
  for (const change of changes) {
    const key = 'put' in change ? change.put : change.delete;
    checkKey(key);
    if (keys.has(key)) throw invalid(`key ${key} stands in two changes of one transaction`);
    keys.add(key);
    if (!('put' in change)) continue;
    if (change.lease !== undefined) checkKey(change.lease);
    bytes += change.value.byteLength;
  }
  if (bytes > storeLimits.valuesBytesMax) throw tooLarge(`a transaction has ${bytes} bytes of values`, storeLimits.valuesBytesMax);
}

/** Refuses a page size outside the limits. @throws TAP_STORE_INVALID */
export function checkRange({ itemsMax }: RangeQuery): void {
  if (!Number.isInteger(itemsMax) || itemsMax < 1 || itemsMax > storeLimits.itemsMax) {
    throw invalid(`a range asks for ${itemsMax} items, expected 1 to ${storeLimits.itemsMax}`);
  }
}

/** Refuses a time to live outside the limits. @throws TAP_STORE_INVALID */
export function checkLeaseTtl(ttlMs: number): void {
  const { leaseTtlMsMin, leaseTtlMsMax } = storeLimits;
  if (Number.isInteger(ttlMs) && ttlMs >= leaseTtlMsMin && ttlMs <= leaseTtlMsMax) return;
  throw invalid(`a lease asks for ${ttlMs} ms, expected ${leaseTtlMsMin} to ${leaseTtlMsMax}`);
}

/** A key is 1 to 1,024 bytes of well-formed text without NUL; U+10FFFF is reserved for {@link keyAfterPrefix}. */
function checkKey(key: string): void {
  if (key.length === 0) throw invalid('a key is empty');
  if (key.length > storeLimits.keyBytesMax / 4 && Buffer.byteLength(key) > storeLimits.keyBytesMax) {
    throw tooLarge(`key ${key.slice(0, 64)}… has ${Buffer.byteLength(key)} bytes`, storeLimits.keyBytesMax);
  }
  if (!key.isWellFormed() || /[\0\u{10ffff}]/u.test(key))
    throw invalid(`key ${JSON.stringify(key)} holds NUL, U+10FFFF or a lone surrogate`);
}

function tooLarge(what: string, max: number) {
  return storeErrors.TAP_STORE_TOO_LARGE({ message: `${what}, at most ${max} are allowed` });
}

function invalid(message: string) {
  return storeErrors.TAP_STORE_INVALID({ message });
}

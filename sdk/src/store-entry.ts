/** `@tappaas/sdk/store`: what the implementation of a store needs, for a separate thread or process that must start fast. */
export { TapError } from './errors.js';
export {
  storeErrors,
  type Change,
  type ClaimChange,
  type Guard,
  type KeyValue,
  type Lease,
  type RangeQuery,
  type RangeResult,
  type StoreEvent,
  type Transaction,
} from './families/store.js';
export { storeLimits } from './families/store-limits.js';
export { compareKeys, keyAfterPrefix, keysBetween } from './families/key-order.js';
export { SortedKeys } from './families/sorted-keys.js';

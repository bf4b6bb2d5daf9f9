/**
 * `@tappaas/sdk`: what a plugin imports. A plugin registers in `setup` (pure, no I/O) and works in handlers. All objects that it gets are
 * frozen. Names of numbers end with their unit. Errors of the platform are `TAP_<NOUN>_<WHAT>`; every handler may throw: the guard
 * attributes the error to the plugin and applies the hook's failure policy.
 */
export * as Type from 'typebox';
export type * from './kubernetes.js';
export * from './values.js';
export { change, freezeDeep } from './change.js';
export { secret, secretFrom, secretKeyword, type Secret, type SecretSource } from './secret.js';
export { releaseTask } from './release-task.js';
export { secretCopiedFrom, secretCopiedVersion } from './secret-copy.js';
export * from './quantity.js';
export * from './errors.js';
export { objectErrors } from './object-errors.js';
export * from './kinds.js';
export * from './kubernetes-kind.js';
export type { ApplyFields, ListQuery, ObjectChange, Preconditions, Resources } from './resources.js';
export { fieldIs } from './field-selector.js';
export { followKind, type Follower, type FollowParts } from './following.js';
export * from './context.js';
export { answersAtOnce, atOnce } from './at-once.js';
export { defineFamily, defineService, optional, type Given, type KeyedService, type Service } from './service.js';
export { definePlugin, type Input, type Permissions, type Plugin, type PluginDeclaration, type PluginOptions } from './plugin.js';
export * from './host.js';
export type * from './conversation.js';
export * from './engine.js';
export * from './controller.js';
export * from './action.js';
export * from './route.js';
export type * from './hooks/shape.js';
export * from './hooks/admission.js';
export * from './hooks/scheduling.js';
export * from './hooks/reconcile.js';
export * from './hooks/secrets.js';
export * from './hooks/telemetry.js';
export { hooks } from './hooks/families.js';
export {
  storeErrors,
  type Change,
  type ClaimChange,
  type Guard,
  type KeyValue,
  type Lease,
  type RangeQuery,
  type RangeResult,
  type ResourceStore,
  type StoreEvent,
  type StoreHealth,
  type Transaction,
  type TransactionResult,
  type Watch,
  type WatchBatch,
  type WatchQuery,
} from './families/store.js';
export { checkLeaseTtl, checkRange, checkTransaction, storeLimits } from './families/store-limits.js';
export { compareKeys, keyAfterPrefix, keysBetween } from './families/key-order.js';
export { SortedKeys } from './families/sorted-keys.js';
export { WatchFeed, type FeedBatch, type FeedHistory, type WatchFeedOptions } from './families/watch-feed.js';
export * from './families/cluster.js';
export { secretErrors } from './families/secret-errors.js';
export * from './families/secret-store.js';
export * from './families/runtime.js';
export * from './families/storage-class.js';
export * from './families/identity.js';
export { isOfOtherSite, siteHeaders } from './families/other-site.js';
export { isTenantName } from './families/tenant-name.js';
export * from './well-known-names.js';
export * from './families/tokens.js';
export type { SealingService } from './families/sealing.js';
export { credentialErrors } from './families/credential-errors.js';
export * from './families/build.js';
export * from './families/outlets.js';
export * from './families/audit-recorder.js';
export * from './families/audit-sink.js';
export * from './families/metrics.js';
export type { OpenSocketAdapter, SocketAdapter } from './families/socket-adapter.js';
export { platformServices } from './families/platform-services.js';
export { families } from './families/families.js';

/** `@tappaas/testing`: the real kernel in memory with a virtual clock, and conformance suites for plugins and families. */
export { load, type Loaded, type LoadOptions } from './load.js';
export {
  startTestKernel,
  type Draft,
  type PluginDenial,
  type RenderOptions,
  type Scheduled,
  type TestKernel,
  type TestKernelOptions,
} from './test-kernel.js';
export { VirtualClock } from './virtual-clock.js';
export { fakeCluster } from './fakes/cluster.js';
export { fakeRuntime } from './fakes/runtime.js';
export { fakeSecretStore } from './fakes/secret-store.js';
export { fakeSocketAdapter } from './fakes/socket-adapter.js';
export { fakeStorageClass } from './fakes/storage-class.js';
export { conformance } from './conformance/conformance.js';
export type { AuditSinkHarness, MakeAuditSink } from './conformance/audit-sink.js';
export type { AuthenticatorHarness, MakeAuthenticator } from './conformance/authenticator.js';
export type { AccessQuestion, AuthorizerHarness, MakeAuthorizer } from './conformance/authorizer.js';
export type { Case } from './conformance/case.js';
export type { MakePlugin, PluginHarness, SampleObject } from './conformance/plugin.js';
export type { MakeSecretStore, SecretStoreHarness } from './conformance/secret-store.js';
export type { MakeSocketAdapter } from './conformance/socket-adapter.js';
export type { MakeStore, StoreHarness } from './conformance/store.js';

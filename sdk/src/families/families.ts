import { defineFamily } from '../service.js';
import type { AuditSink } from './audit-sink.js';
import type { Builder, InputType } from './build.js';
import type { Cluster } from './cluster.js';
import type { Authenticator, Authorizer } from './identity.js';
import type { LogSink, Notifier } from './outlets.js';
import type { RuntimeType } from './runtime.js';
import type { SecretStore } from './secret-store.js';
import type { SocketAdapter } from './socket-adapter.js';
import type { StorageClassType } from './storage-class.js';
import type { ResourceStore } from './store.js';

/** The families: keyed services. Their key, the instance id, is the name that applications and operators refer to. */
export const families = Object.freeze({
  store: defineFamily<ResourceStore>({ id: 'tappaas/store', contract: 1 }),
  cluster: defineFamily<Cluster>({ id: 'tappaas/cluster', contract: 1 }),
  secretStore: defineFamily<SecretStore>({ id: 'tappaas/secret-store', contract: 1 }),
  runtime: defineFamily<RuntimeType>({ id: 'tappaas/runtime', contract: 1 }),
  storageClass: defineFamily<StorageClassType>({ id: 'tappaas/storage-class', contract: 1 }),
  authenticator: defineFamily<Authenticator>({ id: 'tappaas/authenticator', contract: 1 }),
  authorizer: defineFamily<Authorizer>({ id: 'tappaas/authorizer', contract: 1 }),
  builder: defineFamily<Builder>({ id: 'tappaas/builder', contract: 1 }),
  input: defineFamily<InputType>({ id: 'tappaas/input', contract: 1 }),
  notifier: defineFamily<Notifier>({ id: 'tappaas/notifier', contract: 1 }),
  logSink: defineFamily<LogSink>({ id: 'tappaas/log-sink', contract: 1 }),
  socketAdapter: defineFamily<SocketAdapter>({ id: 'tappaas/socket-adapter', contract: 1 }),
  auditSink: defineFamily<AuditSink>({ id: 'tappaas/audit-sink', contract: 1 }),
});

import { auditSinkConformance } from './audit-sink.js';
import { authenticatorConformance } from './authenticator.js';
import { authorizerConformance } from './authorizer.js';
import { pluginConformance } from './plugin.js';
import { runtimeConformance } from './runtime.js';
import { schedulingPluginConformance } from './scheduling-plugin.js';
import { secretStoreConformance } from './secret-store.js';
import { socketAdapterConformance } from './socket-adapter.js';
import { storageClassConformance } from './storage-class.js';
import { storeConformance } from './store.js';

/**
 * The conformance suites of plugins and of each family, as lists of cases for any test runner.
 *
 * @example
 * ```ts
 * for (const { title, run } of conformance.plugin(() => load(myPlugin, { limit: 3 }))) test(title, run);
 * ```
 */
export const conformance = Object.freeze({
  auditSink: auditSinkConformance,
  authenticator: authenticatorConformance,
  authorizer: authorizerConformance,
  plugin: pluginConformance,
  runtime: runtimeConformance,
  scheduling: schedulingPluginConformance,
  secretStore: secretStoreConformance,
  socketAdapter: socketAdapterConformance,
  storageClass: storageClassConformance,
  store: storeConformance,
});

import { errorTable } from '@tappaas/sdk';
import { guardErrors } from '../kernel/errors.js';

const ownErrors = errorTable({
  TAP_NAMESPACE_FOREIGN: {
    httpStatus: 409,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Remove or rename the namespace on the cluster, or change namespaceTemplate of the cluster plugin.',
  },
  TAP_CLUSTER_UNKNOWN: {
    httpStatus: 422,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Name a loaded cluster in spec.placement.clusters, or load a cluster plugin.',
  },
  TAP_SECRET_CHANGED: {
    httpStatus: 409,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Nothing to do: the next run takes the new version. Create the Secret again if it was deleted.',
  },
  TAP_SECRET_FOREIGN: {
    httpStatus: 403,
    blame: 'plugin',
    retry: 'back-off',
    remedy: 'Render a copy of a Secret that lies in the namespace of the rendered object.',
  },
  TAP_RENDER_OUTSIDE: {
    httpStatus: 403,
    blame: 'plugin',
    retry: 'back-off',
    remedy:
      'Render it into the namespace that the facts of the render name, or declare the permission in definePlugin and approve it with tappaas plugins approve.',
  },
  TAP_ADMIN_TOKEN_FORBIDDEN: {
    httpStatus: 403,
    blame: 'caller',
    retry: 'never',
    remedy: 'Ask with the token itself. If it is lost, start the platform with `tappaas up --new-admin-token`.',
  },
  TAP_SEALING_KEY_IN_USE: {
    httpStatus: 409,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Run `tappaas secrets reencrypt` until it says that all is done, then retire the key.',
  },
  TAP_ACTIONS_TOO_MANY: {
    httpStatus: 429,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Wait until one of the running operations has ended, or cancel one.',
  },
  TAP_STORE_ABSENT: {
    httpStatus: 500,
    blame: 'platform',
    retry: 'never',
    remedy: 'Configure one plugin that provides a store, without "mode: off".',
  },
  TAP_API_PORT_TAKEN: {
    httpStatus: 500,
    blame: 'platform',
    retry: 'never',
    remedy: 'Stop the other program, or choose another port in the api section.',
  },
  TAP_METRICS_NOT_SERVED: {
    httpStatus: 404,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Load @tappaas/telemetry-metrics, or turn it on again.',
  },
  TAP_QUERY_INVALID: {
    httpStatus: 400,
    blame: 'caller',
    retry: 'never',
    remedy: 'Correct the query parameters that the message names.',
  },
  TAP_PROCESS_FAILED: {
    httpStatus: 503,
    blame: 'platform',
    retry: 'back-off',
    remedy: 'Read in the log what the other process of the platform reported before; it is restarted automatically.',
  },
  TAP_WORKER_VERSION: {
    httpStatus: 409,
    blame: 'platform',
    retry: 'back-off',
    remedy: 'Restart the platform: its process and its workers have to run the same versions.',
  },
  TAP_ACCESS_DENIED: {
    httpStatus: 403,
    blame: 'caller',
    retry: 'never',
    remedy:
      'Ask an administrator for a role that allows it; no role overrides a reason that the message names, such as a suspended tenant.',
  },
  TAP_SEAL_TOO_LARGE: {
    httpStatus: 422,
    blame: 'plugin',
    retry: 'never',
    remedy: 'Seal less: large data belongs in a secret store or a kind of its own.',
  },
  TAP_PLUGIN_PERMISSION: {
    httpStatus: 403,
    blame: 'plugin',
    retry: 'never',
    remedy: 'Declare the permission in definePlugin and approve it with tappaas plugins approve.',
  },
});

/** Errors that arise between stages. */
export const platformErrors = { ...ownErrors, TAP_ENGINE_NOT_SERVED: guardErrors.TAP_ENGINE_NOT_SERVED };

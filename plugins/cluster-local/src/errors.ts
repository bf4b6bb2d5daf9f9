import { defineErrors } from '@tappaas/sdk';

/** Errors of the local cluster, in addition to the platform's own. */
export const errors = defineErrors({
  CLUSTER_LOCAL_PORT_TAKEN: {
    httpStatus: 503,
    blame: 'caller',
    retry: 'never',
    remedy: 'Free the port, or set httpPort in the configuration of this plugin to another one.',
  },
  CLUSTER_LOCAL_AGENT_UNREACHABLE: {
    httpStatus: 503,
    blame: 'plugin',
    retry: 'back-off',
    remedy: 'Wait until the node agent has started; its log is agent.log in the directory of the local cluster.',
  },
  CLUSTER_LOCAL_AGENT_NOT_STARTED: {
    httpStatus: 503,
    blame: 'plugin',
    retry: 'back-off',
    remedy: 'Read agent.log in the directory of the local cluster and fix the cause that it names.',
  },
  CLUSTER_LOCAL_POD_BOUND: {
    httpStatus: 409,
    blame: 'caller',
    retry: 'never',
    remedy: 'Leave the pod where it is; a pod is bound once.',
  },
  CLUSTER_LOCAL_EVICTION_HELD: {
    httpStatus: 429,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Wait until enough pods of the disruption budget are ready, then try again.',
  },
  CLUSTER_LOCAL_REQUEST_INVALID: {
    httpStatus: 400,
    blame: 'caller',
    retry: 'never',
    remedy: 'Correct the named field or parameter of the request.',
  },
  CLUSTER_LOCAL_NOT_FOUND: {
    httpStatus: 404,
    blame: 'caller',
    retry: 'never',
    remedy: 'List the existing objects and name one of them.',
  },
});

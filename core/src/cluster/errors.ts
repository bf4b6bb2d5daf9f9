import { errorTable, objectErrors, TapError, type ErrorDetails } from '@tappaas/sdk';

const upstream = { blame: 'upstream', retry: 'back-off' } as const;

/**
 * Errors of the connection to a cluster, or of the cluster as a whole; errors about objects are {@link objectErrors}.
 *
 * None of them stops a reconcile from being retried: a missing namespace is created, a quota is raised, a server comes back.
 */
export const clusterErrors = errorTable({
  TAP_CLUSTER_KIND_UNKNOWN: { ...upstream, httpStatus: 404, remedy: 'Install what serves the kind in the cluster, or remove the object.' },
  TAP_CLUSTER_UNAUTHENTICATED: { ...upstream, httpStatus: 502, remedy: "Renew the credentials in the cluster's configuration." },
  TAP_CLUSTER_UNTRUSTED: {
    ...upstream,
    httpStatus: 502,
    remedy: "Check the certificate authority and the server name in the cluster's configuration.",
  },
  TAP_CLUSTER_UNREACHABLE: {
    ...upstream,
    httpStatus: 503,
    remedy: 'Check that the cluster runs and that the network allows connections to it.',
  },
  TAP_CLUSTER_BUSY: { ...upstream, httpStatus: 429, remedy: 'Wait: the cluster limits the request rate.' },
  TAP_CLUSTER_FAILED: { ...upstream, httpStatus: 502, remedy: "Read the API server's log; the message has its answer." },
  TAP_CLUSTER_TIMEOUT: { ...upstream, httpStatus: 504, remedy: 'Try again later: the cluster did not answer in time.' },
  TAP_CLUSTER_OUTCOME_UNKNOWN: {
    ...upstream,
    httpStatus: 504,
    remedy: 'Read the object before trying again: the write may have happened.',
  },
  TAP_CLUSTER_UNSUPPORTED: { ...upstream, httpStatus: 502, remedy: 'Upgrade the cluster: it does not know this kind of request.' },
  TAP_CLUSTER_ANSWER_TOO_LARGE: {
    ...upstream,
    httpStatus: 502,
    remedy: 'Narrow the query, or have fewer objects of the kind on the cluster.',
  },
  TAP_CLUSTER_KUBECONFIG: { ...upstream, httpStatus: 500, retry: 'never', remedy: 'Correct the kubeconfig as the message says.' },
  TAP_CLUSTER_CLOSED: { ...upstream, httpStatus: 503, remedy: 'Nothing to do: the platform is stopping.' },
});

/** The part of a Kubernetes Status that is used here. */
interface Status {
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly { readonly field?: string }[] };
}

type Code = keyof typeof clusterErrors | keyof typeof objectErrors;

const codeOfHttpStatus: Readonly<Record<number, Code>> = {
  400: 'TAP_OBJECT_INVALID',
  401: 'TAP_CLUSTER_UNAUTHENTICATED',
  403: 'TAP_OBJECT_FORBIDDEN',
  404: 'TAP_OBJECT_NOT_FOUND',
  405: 'TAP_CLUSTER_UNSUPPORTED',
  406: 'TAP_CLUSTER_UNSUPPORTED',
  409: 'TAP_OBJECT_CONFLICT',
  410: 'TAP_OBJECT_EXPIRED',
  413: 'TAP_OBJECT_INVALID',
  415: 'TAP_CLUSTER_UNSUPPORTED',
  422: 'TAP_OBJECT_INVALID',
  429: 'TAP_CLUSTER_BUSY',
};

/** Makes the error for an unsuccessful response. `what` describes the request, such as `get pods shop/web-1`. */
export function errorOfAnswer(what: string, httpStatus: number, body: unknown, retryAfterMs?: number): TapError {
  const status: Status = typeof body === 'object' && body !== null ? body : {};
  const code = status.reason === 'AlreadyExists' ? 'TAP_OBJECT_EXISTS' : (codeOfHttpStatus[httpStatus] ?? 'TAP_CLUSTER_FAILED');
  const field = status.details?.causes?.find((cause) => cause.field !== undefined)?.field;
  const requestedDelayMs = status.details?.retryAfterSeconds === undefined ? retryAfterMs : status.details.retryAfterSeconds * 1_000;
  return errorOf(code, {
    message: `${what}: the cluster answered ${httpStatus} ${status.reason ?? ''} ${status.message ?? ''}`.trimEnd(),
    data: { httpStatus, ...(status.reason === undefined ? {} : { reason: status.reason }) },
    ...(field === undefined ? {} : { field }),
    ...(requestedDelayMs === undefined ? {} : { retryAfterMs: requestedDelayMs }),
  });
}

/** Makes the error with the upstream's blame and retry policy, because the server is another system and its state may change. */
function errorOf(code: Code, details: ErrorDetails): TapError {
  if (code in clusterErrors) return clusterErrors[code as keyof typeof clusterErrors](details);
  const { spec } = objectErrors[code as keyof typeof objectErrors](details);
  return new TapError(code, { ...spec, ...upstream }, details);
}

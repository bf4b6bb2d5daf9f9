import { errorTable } from '@tappaas/sdk';

const callers = { blame: 'caller', retry: 'never' } as const;

/** Errors of the API itself; the stages behind it have tables of their own. */
export const apiErrors = errorTable({
  TAP_REQUEST_PATH_INVALID: {
    ...callers,
    httpStatus: 400,
    remedy: 'Send a plain path: no encoded slashes, no dot segments, no control characters, no escaped letters or digits.',
  },
  TAP_REQUEST_HEADER_INVALID: { ...callers, httpStatus: 400, remedy: 'Send each header once and in the documented form.' },
  TAP_REQUEST_PARAMETER_INVALID: { ...callers, httpStatus: 400, remedy: 'Correct the query parameter that the message names.' },
  TAP_REQUEST_BODY_INVALID: { ...callers, httpStatus: 400, remedy: 'Correct the request body that the message names.' },
  TAP_REQUEST_BODY_TOO_LARGE: { ...callers, httpStatus: 413, remedy: 'Send a smaller body, or split its content.' },
  TAP_REQUEST_MEDIA_TYPE_UNSUPPORTED: { ...callers, httpStatus: 415, remedy: 'Send one of the content types that the message names.' },
  TAP_REQUEST_NOT_ACCEPTABLE: { ...callers, httpStatus: 406, remedy: 'Accept application/json or application/yaml.' },
  TAP_REQUEST_METHOD_NOT_ALLOWED: { ...callers, httpStatus: 405, remedy: 'Use one of the methods of the Allow header.' },
  TAP_REQUEST_PATH_UNKNOWN: { ...callers, httpStatus: 404, remedy: 'List what is served with "kubectl api-resources".' },
  TAP_REQUEST_EXPECTATION_UNKNOWN: { ...callers, httpStatus: 417, remedy: 'Send no Expect header other than 100-continue.' },
  TAP_REQUEST_UNAUTHENTICATED: { ...callers, httpStatus: 401, remedy: 'Send a valid bearer token; "tappaas login" stores one.' },
  TAP_REQUEST_STRANGERS: {
    ...callers,
    retry: 'back-off',
    httpStatus: 429,
    remedy: 'Send a valid credential, or wait as long as Retry-After says.',
  },
  TAP_REQUEST_FORBIDDEN: {
    ...callers,
    httpStatus: 403,
    remedy:
      'Ask an administrator for a role that allows it; no role overrides a reason that the message names, such as a suspended tenant.',
  },
  TAP_REQUEST_ORIGIN_REFUSED: {
    ...callers,
    httpStatus: 403,
    remedy: 'Open the page from the address of the API, or have its origin added to api.origins.',
  },
  TAP_REQUEST_UPGRADE_REQUIRED: { ...callers, httpStatus: 426, remedy: 'Open the path as a WebSocket, version 13.' },
  TAP_SOCKET_JOIN_INVALID: { ...callers, httpStatus: 400, remedy: 'Send join and leave as the documentation of sockets shows them.' },
  TAP_SOCKET_LIMIT: { ...callers, retry: 'back-off', httpStatus: 429, remedy: 'Leave rooms that are not needed, and join more slowly.' },
  TAP_REQUEST_DEADLINE: { blame: 'platform', retry: 'back-off', httpStatus: 504, remedy: 'Try again; a write may have taken effect.' },
  TAP_REQUEST_ABORTED: { ...callers, httpStatus: 499, remedy: 'Keep the connection open until the answer has arrived.' },
  TAP_REQUEST_SLOW_READER: { ...callers, httpStatus: 408, remedy: 'Read the answer as it arrives, or request less.' },
  TAP_API_STOPPING: {
    blame: 'platform',
    retry: 'back-off',
    httpStatus: 503,
    remedy: 'Connect again; a process that is not stopping serves the request.',
  },
  TAP_CERTIFICATE_UNUSABLE: {
    blame: 'platform',
    retry: 'never',
    httpStatus: 500,
    remedy: 'Remove the certificate files; new ones are made at the next start.',
  },
  TAP_FILE_EXPOSED: {
    blame: 'platform',
    retry: 'never',
    httpStatus: 500,
    remedy: 'Run chmod 600 on the file; replace its content if others could have read it.',
  },
  TAP_KUBECONFIG_UNREADABLE: { blame: 'platform', retry: 'never', httpStatus: 500, remedy: 'Correct the file or remove it.' },
  TAP_API_INTERNAL: {
    blame: 'platform',
    retry: 'back-off',
    httpStatus: 500,
    remedy: 'Look for the request id in the log of the platform.',
  },
});

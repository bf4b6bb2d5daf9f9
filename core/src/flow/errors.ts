import { errorTable } from '@tappaas/sdk';

/** Errors of requests that flow control refuses. */
export const flowErrors = errorTable({
  TAP_FLOW_FULL: {
    httpStatus: 429,
    blame: 'caller',
    retry: 'back-off',
    remedy: 'Wait as long as Retry-After says, and send fewer requests at once.',
  },
});

import { errorTable } from '@tappaas/sdk';

/** Incorrect uses of a queue; a full queue is a result of `add`, not an error. */
export const queueErrors = errorTable({
  TAP_QUEUE_NOT_PROCESSING: {
    httpStatus: 500,
    blame: 'platform',
    retry: 'never',
    remedy: 'Call done and retry once for each key that the queue has handed out.',
  },
});

import { errorTable } from '@tappaas/sdk';

const plugin = { httpStatus: 500, blame: 'plugin', retry: 'back-off' } as const;

/** Errors of placing a pod; most are reported as problems and never thrown at a caller. */
export const scheduleErrors = errorTable({
  TAP_SCHEDULE_QUANTITY_INVALID: {
    httpStatus: 422,
    blame: 'caller',
    retry: 'never',
    remedy: 'Write a Kubernetes quantity that is not negative, such as 250m, 1.5 or 512Mi.',
  },
  TAP_SCHEDULE_COLUMN_UNKNOWN: {
    httpStatus: 500,
    blame: 'plugin',
    retry: 'never',
    remedy: 'Read only columns of the kernel or columns that a loaded plugin has registered with host.column.',
  },
  TAP_SCHEDULE_WEIGHT_INVALID: {
    httpStatus: 422,
    blame: 'caller',
    retry: 'never',
    remedy: 'Give each score tap a weight that is a whole number from 0 to 10000.',
  },
  TAP_SCHEDULE_COLUMN_FAILED: { ...plugin, remedy: 'Correct the column of the named plugin: it must give a number for every node.' },
  TAP_SCHEDULE_FILTER_FAILED: { ...plugin, remedy: 'Read the cause in the log and correct the filter of the named plugin.' },
  TAP_SCHEDULE_SCORE_FAILED: { ...plugin, remedy: 'Read the cause in the log and correct the score of the named plugin.' },
  TAP_SCHEDULE_SCORE_RANGE: { ...plugin, remedy: 'Answer 0 to 100 for every candidate, or declare another scale.' },
  TAP_SCHEDULE_TAP_SLOW: { ...plugin, remedy: 'Move the work of the named tap into a column, which is computed when a node changes.' },
  TAP_SCHEDULE_STEP_FAILED: { ...plugin, remedy: 'Read the cause in the log and correct the named plugin.' },
  TAP_SCHEDULE_EVICTION_REFUSED: {
    ...plugin,
    remedy: 'Evict only pods of lower priority from the chosen node, and enough of them for the pod to fit.',
  },
  TAP_SCHEDULE_BIND_FAILED: {
    httpStatus: 503,
    blame: 'upstream',
    retry: 'back-off',
    remedy: 'Check that the cluster answers and that TAPPaaS may create pods/binding.',
  },
  TAP_SCHEDULE_QUEUE_FULL: {
    httpStatus: 503,
    blame: 'platform',
    retry: 'back-off',
    remedy: 'Wait until pending pods have been placed, or remove some of them.',
  },
});

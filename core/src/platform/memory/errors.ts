import { errorTable } from '@tappaas/sdk';

const plugin = { httpStatus: 500, blame: 'plugin', retry: 'never' } as const;

/** Errors about plugins that run on a platform in memory. */
export const memoryErrors = errorTable({
  TAP_RECONCILE_RESTLESS: {
    ...plugin,
    remedy: 'Return nothing from the reconcile once the object is in its desired state, and write only what differs.',
  },
  TAP_RECONCILE_STUCK: { ...plugin, remedy: 'Pass the context’s signal on, or advance the clock while a reconcile waits for it.' },
  TAP_RENDER_NOT_READY: { ...plugin, remedy: 'Give the plugin what it waits for, or give the facts of the rendering.' },
  TAP_SCHEDULE_UNDECIDED: { ...plugin, remedy: 'Let every scheduling tap answer without waiting for anything outside.' },
});

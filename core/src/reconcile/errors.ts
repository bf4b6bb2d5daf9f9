import { errorTable } from '@tappaas/sdk';

const platform = { httpStatus: 500, blame: 'platform', retry: 'back-off' } as const;

/** Errors of reconciling. */
export const reconcileErrors = errorTable({
  TAP_RECONCILE_TIMEOUT: {
    ...platform,
    httpStatus: 504,
    blame: 'plugin',
    remedy: 'Make the reconcile shorter, or return againAfterMs and continue in the next run; respect the signal.',
  },
  TAP_RECONCILE_BAD_OUTCOME: {
    ...platform,
    blame: 'plugin',
    remedy: 'Return nothing, or an object whose againAfterMs is a number of milliseconds that is not negative.',
  },
  TAP_RECONCILE_STOPPED: { ...platform, httpStatus: 503, remedy: 'Nothing to do: the next leader works on the key again.' },
  TAP_CACHE_TOO_LARGE: { ...platform, httpStatus: 507, remedy: 'Remove objects of the kind until it has fewer than the message says.' },
  TAP_CACHE_SILENT: {
    ...platform,
    httpStatus: 504,
    blame: 'upstream',
    remedy: 'Check the network: the watch was open but received nothing.',
  },
  TAP_CACHE_WATCH_ENDED: {
    ...platform,
    httpStatus: 503,
    blame: 'upstream',
    remedy: 'Check the server: it ends watches as soon as they begin.',
  },
  TAP_CACHE_WAITERS_TOO_MANY: { ...platform, httpStatus: 503, remedy: 'Wait until the cache has caught up with the store.' },
  TAP_RENDER_DUPLICATE: {
    ...platform,
    blame: 'plugin',
    remedy: 'Give one of the two objects another name, or let one of the two plugins change the object of the other.',
  },
  TAP_RENDER_ABSENT: {
    ...platform,
    blame: 'plugin',
    remedy: 'Change and remove only objects that the set holds; take them from the newest set.',
  },
  TAP_RENDER_INVALID: {
    ...platform,
    blame: 'plugin',
    remedy:
      'Render whole Kubernetes objects: apiVersion, kind, metadata.name and nothing that is not JSON; keep their names when changing them.',
  },
  TAP_RENDER_TOO_MANY: { ...platform, blame: 'plugin', remedy: 'Render fewer objects, or split the object that is rendered.' },
  TAP_APPLY_FAILED: {
    ...platform,
    blame: 'upstream',
    httpStatus: 502,
    remedy: 'Read the message: it names the object and what its cluster answered.',
  },
  TAP_LEADER_LOST: { ...platform, httpStatus: 503, remedy: 'Nothing to do: another replica leads, or this one will again.' },
});

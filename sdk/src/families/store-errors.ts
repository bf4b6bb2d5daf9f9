import { errorTable } from '../errors.js';

const platform = { httpStatus: 500, blame: 'platform', retry: 'back-off' } as const;

/** The errors that a store may throw; any other error counts as a fault of the store. */
export const storeErrors = errorTable({
  TAP_STORE_COMPACTED: { ...platform, httpStatus: 410, retry: 'never', remedy: 'List again and watch from the revision of that list.' },
  TAP_STORE_FUTURE_REVISION: {
    ...platform,
    httpStatus: 410,
    retry: 'never',
    remedy: 'List again: the revision belongs to another store or does not exist yet.',
  },
  TAP_STORE_NOT_LEADER: { ...platform, httpStatus: 503, remedy: 'Try again: the write belongs to another replica.' },
  TAP_STORE_UNAVAILABLE: { ...platform, httpStatus: 503, remedy: 'Wait until the store answers again; readyz says why it does not.' },
  TAP_STORE_OUTCOME_UNKNOWN: { ...platform, httpStatus: 504, remedy: 'Read the object before trying again: the write may have happened.' },
  TAP_STORE_READ_ONLY: {
    ...platform,
    httpStatus: 503,
    remedy: 'Free disk space or repair the disk; reads continue and writes resume automatically.',
  },
  TAP_STORE_CORRUPT: { ...platform, retry: 'never', remedy: 'Restore the store from a snapshot; the file named is damaged.' },
  TAP_STORE_INVALID: {
    ...platform,
    retry: 'never',
    remedy: 'Report the fault: the platform made a request that no store can take.',
  },
  TAP_STORE_TOO_LARGE: {
    ...platform,
    httpStatus: 413,
    blame: 'caller',
    retry: 'never',
    remedy: 'Make the object smaller or split the request.',
  },
  TAP_STORE_LEASE_GONE: { ...platform, httpStatus: 409, retry: 'never', remedy: 'Ask for a new lease: this one has ended.' },
  TAP_STORE_SLOW_CONSUMER: { ...platform, httpStatus: 410, remedy: 'Watch again from the revision after the last one delivered.' },
  TAP_STORE_DIRECTORY: {
    ...platform,
    retry: 'never',
    remedy: 'Name a directory that this user can make and write, in the configuration of the store.',
  },
  TAP_STORE_LOCKED: {
    ...platform,
    httpStatus: 503,
    retry: 'never',
    remedy: 'Stop the other process that uses the data directory, or choose another directory.',
  },
});

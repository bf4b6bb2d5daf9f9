import { resourceErrors } from './errors.js';

/** Revisions per epoch; leaves 2^13 epochs within a double. */
const revisionsPerEpoch = 2 ** 40;

/** Encodes a store revision for clients. A restore raises the epoch, so that earlier versions are in another range. */
export function resourceVersionOf(epoch: number, revision: number): string {
  return String(epoch * revisionsPerEpoch + revision);
}

/**
 * Decodes the store revision from a client's resourceVersion.
 *
 * @throws TAP_REQUEST_INVALID when it is not a number, TAP_OBJECT_UNKNOWN_VERSION when it is of another epoch
 */
export function revisionOf(resourceVersion: string, epoch: number): number {
  const version = /^(0|[1-9][0-9]{0,15})$/.test(resourceVersion) ? Number(resourceVersion) : Number.NaN;
  if (!Number.isSafeInteger(version)) {
    throw resourceErrors.TAP_REQUEST_INVALID({
      message: `resourceVersion: expected a version as the server gave it, found "${resourceVersion.slice(0, 40)}"`,
      field: 'resourceVersion',
    });
  }
  if (Math.floor(version / revisionsPerEpoch) !== epoch) {
    throw resourceErrors.TAP_OBJECT_UNKNOWN_VERSION({ message: `resourceVersion ${resourceVersion} is of another life of the store` });
  }
  return version % revisionsPerEpoch;
}

import { isDeepStrictEqual } from 'node:util';
import { administratorsGroup, type AdmissionRequest, type Denial, deny } from '@tappaas/sdk';
import type { Session } from './contract.js';

/**
 * Only administrators and plugins may write a session's spec: it determines the user of its cookie, so anyone else who could write it could
 * impersonate any user.
 */
export function checkWriter({
  object,
  previous,
  caller,
}: Pick<AdmissionRequest<typeof Session>, 'object' | 'previous' | 'caller'>): readonly Denial[] {
  if (caller.groups.includes(administratorsGroup) || isDeepStrictEqual(object.spec, previous?.spec)) return [];
  return [deny({ field: 'spec', reason: 'WrittenByPlatform', message: 'is written when a user logs in; a session can be deleted' })];
}

import { isDeepStrictEqual } from 'node:util';
import { administratorsGroup, type AdmissionRequest, type Denial, deny } from '@tappaas/sdk';
import type { Session } from './contract.js';

/**
 * A session says who its cookie is: whoever could write one would be anybody. Administrators can be that as it is, and plugins are among them.
 */
export function checkWriter({
  object,
  previous,
  caller,
}: Pick<AdmissionRequest<typeof Session>, 'object' | 'previous' | 'caller'>): readonly Denial[] {
  if (caller.groups.includes(administratorsGroup) || isDeepStrictEqual(object.spec, previous?.spec)) return [];
  return [deny({ field: 'spec', reason: 'WrittenByPlatform', message: 'is written when somebody logs in; a session can be deleted' })];
}

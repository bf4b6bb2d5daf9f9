import { isDeepStrictEqual } from 'node:util';
import { deny, type AdmissionRequest, type Denial } from '@tappaas/sdk';
import type { Session } from './contract.js';

const administrators = 'system:masters';

/**
 * A session says who its cookie is: whoever could write one would be anybody. `writer` is the plugin itself; administrators can be anybody as
 * it is.
 */
export function checkWriter(
  { object, previous, caller }: Pick<AdmissionRequest<typeof Session>, 'object' | 'previous' | 'caller'>,
  writer: string,
): readonly Denial[] {
  if (caller.name === writer || caller.groups.includes(administrators) || isDeepStrictEqual(object.spec, previous?.spec)) return [];
  return [deny({ field: 'spec', reason: 'WrittenByPlatform', message: 'is written when somebody logs in; a session can be deleted' })];
}

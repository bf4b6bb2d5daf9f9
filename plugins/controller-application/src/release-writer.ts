import { isDeepStrictEqual } from 'node:util';
import { administratorsGroup, type AdmissionRequest, type Denial, deny } from '@tappaas/sdk';
import type { Release } from '@tappaas/sdk/kinds';

/**
 * A release is applied to a cluster with the platform's rights, so only the platform may write its spec. Administrators have those rights
 * anyway, and plugins are in their group.
 */
export function checkReleaseWriter({
  object,
  previous,
  caller,
}: Pick<AdmissionRequest<typeof Release>, 'object' | 'previous' | 'caller'>): readonly Denial[] {
  if (caller.groups.includes(administratorsGroup) || isDeepStrictEqual(object.spec, previous?.spec)) return [];
  const message = 'is written when an application is rendered; change the application, or pin it to one of its releases';
  return [deny({ field: 'spec', reason: 'WrittenByPlatform', message })];
}

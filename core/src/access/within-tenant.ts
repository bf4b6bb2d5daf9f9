import type { Caller } from '@tappaas/sdk';
import type { Verdict } from '../ports/access.js';
import type { Places } from './access.js';
import { onceKnown } from './once-known.js';
import { withPlace, type PlacedQuestion } from './placed-request.js';
import { isReading, sideOf } from './tenant-boundary.js';

interface InnerParts {
  readonly ask: (request: PlacedQuestion) => Verdict | Promise<Verdict>;
  readonly isAdministrator: (caller: Caller) => boolean | Promise<boolean>;
  readonly places: Pick<Places, 'settled' | 'isSuspended' | 'isShared'>;
}

/** Authorizes callers with a tenant: within its boundary authorizers decide, beyond it only administrators may pass. */
export function withinTenants({
  ask,
  isAdministrator,
  places,
}: InnerParts): (request: PlacedQuestion, tenant: string) => Verdict | Promise<Verdict> {
  /** Currently known owners may be outdated, so a refusal counts only if it holds for the settled owners as well. */
  const cross = async (request: PlacedQuestion, tenant: string, reason: string): Promise<Verdict> => {
    const again = await withPlace(request, places);
    if (again !== undefined && sideOf(again, tenant, places.isShared).side !== 'outside') return within(again, tenant);
    return (await isAdministrator(request.caller)) ? ask(request) : { decision: 'deny', reason };
  };

  const suspended = async (request: PlacedQuestion, tenant: string): Promise<Verdict> =>
    (await isAdministrator(request.caller))
      ? ask(request)
      : { decision: 'deny', reason: `tenant ${tenant} is suspended: it can read only` };

  const within = (request: PlacedQuestion, tenant: string): Verdict | Promise<Verdict> => {
    const side = sideOf(request, tenant, places.isShared);
    if (side.side === 'outside') return cross(request, tenant, side.reason);
    if (!isReading(request) && places.isSuspended(tenant)) return suspended(request, tenant);
    if (side.side === 'inside') return ask(request);
    const { narrowed } = side;
    return onceKnown(ask(request), (answer): Verdict =>
      answer.decision === 'deny'
        ? answer
        : { decision: 'allow', reason: `it belongs to the caller's tenant ${tenant}`, ...(narrowed && { narrowed }) },
    );
  };
  return within;
}

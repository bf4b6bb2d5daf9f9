import { setImmediate as turn } from 'node:timers/promises';
import { ask } from '../authorization.js';
import type { Cause, EngineError, Target } from '../../ports/engine.js';
import { apiErrors } from '../errors.js';
import type { Exchange } from '../request/exchange.js';
import type { Authorize } from '../stages.js';

/** Number of checks between two turns of the event loop. */
const deletionChecksMax = 64;
/** Maximum refused objects that the answer lists; the rest is counted. */
const causesMax = 20;

/**
 * Refuses the deletion of a collection if the deletion of one of its objects is denied: a policy that forbids deleting an object applies
 * however it is deleted. Only a denial counts: the right to delete the collection needs no further permission for its objects.
 *
 * @throws TAP_REQUEST_FORBIDDEN with the first refused objects and the reasons
 */
export async function authorizeDeletes(authorize: Authorize, exchange: Exchange, targets: readonly Target[]): Promise<void> {
  const causes: Cause[] = [];
  let refused = 0;
  for (const [index, target] of targets.entries()) {
    if (index % deletionChecksMax === deletionChecksMax - 1) await turn();
    exchange.signal.throwIfAborted();
    const requested = authorizeDelete(authorize, exchange, target);
    const verdict = requested instanceof Promise ? await requested : requested;
    if (verdict.decision !== 'deny') continue;
    refused += 1;
    if (refused === 1) exchange.decision = verdict;
    if (causes.length < causesMax) causes.push({ reason: 'Forbidden', message: `"${target.name ?? ''}": ${verdict.reason}` });
  }
  if (refused > 0) throw forbidden(exchange, { causes, refused, requested: targets.length });
}

const authorizeDelete = (authorize: Authorize, { info, caller }: Exchange, target: Target) =>
  ask(authorize, { ...info, verb: 'delete', target }, caller);

interface Refused {
  readonly causes: readonly Cause[];
  readonly refused: number;
  readonly requested: number;
}

function forbidden({ info, caller }: Exchange, { causes, refused, requested }: Refused): EngineError {
  const { plural, group } = info.target?.kind ?? { plural: '', group: '' };
  const causeText = causes.map(({ message }) => message).join('; ');
  const more = refused > causes.length ? `; and ${refused - causes.length} more` : '';
  const message = `${plural} are forbidden: user "${caller.name}" cannot delete ${refused} of ${requested} resources "${plural}" in API group "${group}" in the namespace "${info.target?.namespace ?? ''}", so none was deleted: ${causeText}${more}`;
  return Object.assign(apiErrors.TAP_REQUEST_FORBIDDEN({ message }), { causes });
}

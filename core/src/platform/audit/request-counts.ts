import type { Audit, AuditedOutcome, AuditedRequest, AuditTrail } from '../../ports/audit.js';
import { countAnnotation } from '../../api/connection/audit-limits.js';
import type { Kernel } from '../../kernel/kernel.js';

/** About a thousand tenants get separate series; later ones count as `other`. */
const seriesMax = 6_000;

/** Status counted for a stream or an upgrade that the client aborted. */
const clientGone = 499;

type Result = 'ok' | 'refused' | 'denied' | 'limited' | 'invalid' | 'failed' | 'gone';

/**
 * Counts requests by tenant and result as audit receives them: `refused` by identity or access, `denied` by admission such as a quota,
 * `limited` by a rate, `gone` when the client left. Requests without a tenant have an empty label. A GraphQL request counts once, whatever
 * it does.
 */
export function countRequests({ metrics }: Pick<Kernel, 'metrics'>, audit: Audit): Audit {
  const requests = metrics.counter<'tenant' | 'result'>({
    name: 'tappaas_api_requests_total',
    help: 'Requests by tenant and result: ok, refused, denied, limited, invalid, failed, gone.',
    labels: ['tenant', 'result'],
    seriesMax,
  });
  type Series = ReturnType<typeof requests.bind>;
  const bound = new Map<string, Series>();
  const seriesOf = (tenant: string, result: Result): Series => {
    const key = `${result} ${tenant}`;
    const known = bound.get(key);
    if (known !== undefined) return known;
    const made = requests.bind({ tenant, result });
    if (bound.size < seriesMax) bound.set(key, made);
    return made;
  };
  const count = (request: AuditedRequest, outcome: AuditedOutcome): void =>
    seriesOf((outcome.impersonated ?? request.caller)?.tenant ?? '', resultOf(outcome)).add(
      Number(outcome.annotations?.get(countAnnotation) ?? 1),
    );
  return (request) => {
    const trail = audit(request);
    if (request.isPart) return trail;
    return trail instanceof Promise
      ? trail.then((kept) => new CountedTrail(kept, request, count))
      : new CountedTrail(trail, request, count);
  };
}

/** A trail that counts its end. */
class CountedTrail implements AuditTrail {
  readonly #trail: AuditTrail;
  readonly #request: AuditedRequest;
  readonly #count: (request: AuditedRequest, outcome: AuditedOutcome) => void;

  constructor(trail: AuditTrail, request: AuditedRequest, count: (request: AuditedRequest, outcome: AuditedOutcome) => void) {
    this.#trail = trail;
    this.#request = request;
    this.#count = count;
  }

  get wants(): 'nothing' | 'request' | 'both' {
    return this.#trail.wants ?? 'nothing';
  }

  streaming(standing: Parameters<NonNullable<AuditTrail['streaming']>>[0]): void {
    this.#trail.streaming?.(standing);
  }

  end(outcome: AuditedOutcome): void | Promise<void> {
    this.#count(this.#request, outcome);
    return this.#trail.end(outcome);
  }
}

function resultOf({ status, errorCode }: AuditedOutcome): Result {
  if (status === 0 || status === clientGone) return 'gone';
  if (status < 400) return 'ok';
  if (status >= 500) return 'failed';
  if (status === 429) return 'limited';
  if (errorCode === 'TAP_OBJECT_DENIED') return 'denied';
  return status === 401 || status === 403 ? 'refused' : 'invalid';
}

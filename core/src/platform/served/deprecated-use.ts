import type { Caller } from '@tappaas/sdk';
import type { ServedKind } from '../../ports/engine.js';
import type { Kernel } from '../../kernel/kernel.js';

const seriesMax = 1000;

/** Counts requests for deprecated versions by principal, so that operators know whom to contact before a version is removed. */
export function countDeprecated(kernel: Kernel): (kind: ServedKind, caller: Caller) => void {
  const requests = kernel.metrics.counter<'group' | 'version' | 'plural' | 'principal'>({
    name: 'tappaas_api_deprecated_requests_total',
    help: 'Requests for a version that is deprecated, by who made them.',
    labels: ['group', 'version', 'plural', 'principal'],
    seriesMax,
  });
  return ({ group, version, plural }, { name, tenant }) =>
    requests.bind({ group, version, plural, principal: tenant === undefined ? name : `${tenant}/${name}` }).add();
}

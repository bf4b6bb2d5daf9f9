import { administratorsGroup, authenticatedGroup, type Clock, type Logger, platformEngine, type Resources } from '@tappaas/sdk';
import type { Call } from '../../api/contributions.js';
import type { Kernel, Registrations } from '../../kernel/kernel.js';
import { createFlow } from '../../flow/flow.js';
import { defaultFlowSettings } from '../../flow/flow-settings.js';
import { auditForTaps } from '../audit/audit.js';
import { contributionsOf, type Contributions } from '../served/contributions.js';
import type { Engines } from '../engines.js';
import { createLongActions } from '../operations/long-actions.js';
import type { PlatformAccess } from '../access/platform-access.js';
import { tableColumns } from '../served/table-columns.js';

export interface LoopbackApiParts {
  readonly kernel: Kernel;
  readonly engines: Engines;
  readonly authorize: PlatformAccess['authorize'];
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly version: string;
}

const replica = 'r0';

/** Starts the API of a platform in memory: plain http on a free loopback port, where every caller is the administrator. */
export async function listenOnLoopback(parts: LoopbackApiParts): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { kernel, engines, clock, random, log } = parts;
  const { createApiServer } = await import('../../api/server.js');
  const administrator = { caller: { name: 'test', groups: [administratorsGroup, authenticatedGroup] }, credentialId: 'test' };
  const longActions = createLongActions({ resources: engines.asPlatform(platformEngine), clock, log, replica });
  let known: { readonly registrations: Registrations; readonly contributions: Contributions } | undefined;
  const contributions = (): Contributions => {
    const registrations = kernel.registrations();
    if (known?.registrations !== registrations) known = { registrations, contributions: made(registrations) };
    return known.contributions;
  };
  const made = (registrations: Registrations): Contributions =>
    contributionsOf({
      registrations,
      clock,
      engine: (name) => engines.of(name),
      object: (kind, key) => engines.asPlatform(platformEngine).get(kind, key),
      asCaller: (engine: string, { caller, requestId, signal }: Pick<Call, 'caller' | 'requestId' | 'signal'>): Resources =>
        engines.asCaller(engine, caller, requestId, signal),
      longActions,
    });
  const server = createApiServer({
    engines: () => engines.all,
    authenticate: () => administrator,
    authorize: parts.authorize,
    flow: createFlow({ settings: defaultFlowSettings, clock }),
    audit: auditForTaps({ kernel, clock, log }),
    tableFor: tableColumns(clock),
    routes: () => contributions().routes,
    actions: () => contributions().actions,
    subresources: () => contributions().subresources,
    fields: () => contributions().fields,
    upgrades: () => contributions().upgrades,
    host: '127.0.0.1',
    port: 0,
    log,
    clock,
    random,
    replica,
    version: parts.version,
    ready: () => [],
    metrics: () => kernel.metrics.text(),
  });
  const { url } = await server.listen();
  return {
    url,
    async close() {
      await server.close();
      await longActions.stop();
    },
  };
}

import type { Condition, Immutable, ReconcileContext, RenderFacts } from '@tappaas/sdk';
import { Application, type ApplicationObject } from '@tappaas/sdk/kinds';
import { isReserved } from './host-claims.js';

type Owner = Immutable<ApplicationObject>;
type Route = NonNullable<Owner['spec']['routes']>[number];

/** Name of the input with the reason why a route is not served. */
const lostInput = ({ name }: Route) => `lost-route/${name}`;

const nameForm = /^[a-z0-9](?:[-a-z0-9]*[a-z0-9])?$/;

/** The application of the same namespace to which the route's host belongs by default; undefined if there is none. */
function defaultOwnerOf({ host }: Route, { metadata: { name, namespace } }: Owner, suffixes: readonly string[]): string | undefined {
  const [first = '', second, ...others] = host?.split('.') ?? [];
  const isDefault = second === namespace && suffixes.includes(others.join('.'));
  return isDefault && first !== name && nameForm.test(first) ? first : undefined;
}

/**
 * Determines routes that can no longer be served because a reload made their hosts default hosts of a cluster: they lie below another
 * namespace, or another application has the same path by default. Admission would refuse a change of the application for the same reasons.
 */
export async function lostRoutes(
  application: Owner,
  { asPlugin }: ReconcileContext<typeof Application>,
  suffixes: readonly string[],
): Promise<{ readonly inputs: Readonly<Record<string, string>>; readonly owners: readonly string[] }> {
  const { spec, metadata } = application;
  const inputs: Record<string, string> = {};
  const owners = new Set<string>();
  for (const route of spec.routes ?? []) {
    if (isReserved(route.host, metadata.namespace, suffixes)) inputs[lostInput(route)] = 'HostReserved';
    const name = defaultOwnerOf(route, application, suffixes);
    if (name === undefined) continue;
    owners.add(name);
    const owner = await asPlugin.get(Application, { namespace: metadata.namespace, name });
    const isTaken = owner?.spec.routes?.some(({ host, path }) => host === undefined && path === route.path);
    if (isTaken) inputs[lostInput(route)] = 'HostTaken';
  }
  return { inputs, owners: [...owners] };
}

export function heldRoutes({ spec }: Owner, { inputs }: Pick<RenderFacts, 'inputs'>): readonly Route[] {
  return (spec.routes ?? []).filter((route) => inputs[lostInput(route)] === undefined);
}

/** Reports routes that are not served. That all are served is reported only if the status has the condition already. */
export function routedConditions({ spec, status }: Owner, { inputs }: Pick<RenderFacts, 'inputs'>): readonly Condition[] {
  const lost = (spec.routes ?? []).flatMap((route) => {
    const reason = inputs[lostInput(route)];
    return reason === undefined ? [] : [{ reason, message: `route ${route.name} leads nowhere: ${whyLost(reason, route)}` }];
  });
  const [first] = lost;
  if (first !== undefined)
    return [{ type: 'Routed', status: 'False', reason: first.reason, message: lost.map(({ message }) => message).join('; ') }];
  const wasReported = status?.conditions?.some(({ type }) => type === 'Routed') ?? false;
  return wasReported ? [{ type: 'Routed', status: 'True', reason: 'HostsHeld', message: 'every route has its host' }] : [];
}

function whyLost(reason: string, { host = '', path }: Route): string {
  return reason === 'HostTaken'
    ? `${host}${path} is the host of application ${host.split('.')[0]}, which has it by default; route another host or path`
    : `${host} lies below another namespace; route a host below the own one, or one that ends otherwise than those of the clusters`;
}

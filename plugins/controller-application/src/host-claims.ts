import { deny, type Claim, type Denial, type Immutable } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

type Application = Immutable<ApplicationObject>;

const taken = (index: number, address: string): Denial =>
  deny({ field: `spec.routes[${index}].host`, reason: 'HostTaken', message: `${address} is routed by another application` });

/**
 * A host that an application writes out is its own with all paths, so that nobody else answers at a part of it; of a host that an application of
 * the namespace has by default each path is. Claims are held in the write's transaction; across namespaces `reservedHosts` keeps default hosts apart.
 * While no suffix is known, any may be one.
 */
export function hostClaims({ metadata: { name, namespace }, spec }: Application, suffixes: readonly string[]): readonly Claim[] {
  const routes = spec.routes ?? [];
  const isDefault = (suffix: string): boolean => suffixes.length === 0 || suffixes.includes(suffix);
  return routes.flatMap((route, index): readonly Claim[] => {
    const { host, path } = route;
    const ownName = (first: string): Claim => ({
      unique: `host-of/${namespace}/${first}${path}`,
      denial: taken(index, `${host ?? `${first}.${namespace}`}${path}`),
    });
    if (host === undefined) return [ownName(name)];
    const [first = '', second, ...others] = host.split('.');
    const isFirst = routes.findIndex((each) => each.host === host) === index;
    const whole: readonly Claim[] = isFirst ? [{ unique: `host/${host}`, denial: taken(index, host) }] : [];
    return second === namespace && isDefault(others.join('.')) ? [...whole, ownName(first)] : whole;
  });
}

/** Where applications get hosts by default, each below its own namespace, nobody routes what lies below another one. */
export function reservedHosts({ metadata: { namespace }, spec }: Application, suffixes: readonly string[]): readonly Denial[] {
  return (spec.routes ?? []).flatMap(({ host = '' }, index) => {
    if (!isReserved(host, namespace, suffixes)) return [];
    const suffix = suffixOf(host, suffixes);
    const message = `${host} lies below another namespace; expected NAME.${namespace}.${suffix}, or a host outside of ${suffix}`;
    return [deny({ field: `spec.routes[${index}].host`, reason: 'HostReserved', message })];
  });
}

export function isReserved(host: string | undefined, namespace: string, suffixes: readonly string[]): boolean {
  const suffix = host && suffixOf(host, suffixes);
  if (!suffix) return false;
  const labels = host.slice(0, -suffix.length - 1).split('.');
  return labels.length >= 2 && labels.at(-1) !== namespace;
}

const suffixOf = (host: string, suffixes: readonly string[]) => suffixes.find((each) => host.endsWith(`.${each}`));

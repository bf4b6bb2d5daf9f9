import { deny, type Claim, type Denial, type Immutable } from '@tappaas/sdk';
import type { ApplicationObject } from '@tappaas/sdk/kinds';

type Application = Immutable<ApplicationObject>;

const taken = (index: number, address: string): Denial =>
  deny({ field: `spec.routes[${index}].host`, reason: 'HostTaken', message: `${address} is routed by another application` });

/**
 * Claims of an application on hosts. An explicit host belongs to the application with all its paths, so that no other application serves a
 * part of it. Of a default host of the namespace, each path is claimed separately. Claims are made in the transaction of the write;
 * `reservedHosts` keeps default hosts of namespaces apart. While no suffix is known, any suffix counts as one of default hosts.
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

/** Below the suffixes of default hosts, an application may only route hosts below its own namespace. */
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

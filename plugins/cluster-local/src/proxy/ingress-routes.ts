import type { Immutable, Ingress, IngressBackend, KubernetesService } from '@tappaas/sdk';

/** The target of a request: a service as `namespace/name`, and the name of its port. */
export interface Target {
  readonly service: string;
  readonly portName: string;
}

interface PathRule {
  readonly path: string;
  readonly isExact: boolean;
  readonly target: Target | undefined;
  /** Names the service in responses when it cannot be reached. */
  readonly label: string;
}

/** The result of routing. */
export type Routed =
  | { readonly is: 'target'; readonly target: Target }
  | { readonly is: 'no-host' }
  | { readonly is: 'no-path' }
  | { readonly is: 'no-service'; readonly label: string };

/**
 * Routes by the hosts and paths of all Ingresses.
 *
 * The most specific host decides: an exact one, else a wildcard, else rules without a host. Within it an exact path wins over a prefix, and
 * a longer prefix over a shorter one; of equal rules that of the oldest Ingress wins.
 */
export class IngressRoutes {
  readonly #hosts = new Map<string, PathRule[]>();
  readonly #fallbacks: PathRule[] = [];

  constructor(ingresses: Iterable<Immutable<Ingress>>, services: ReadonlyMap<string, Immutable<KubernetesService>>) {
    const sorted = [...ingresses].toSorted((a, b) => (ageOf(a) < ageOf(b) ? -1 : 1));
    for (const ingress of sorted) this.#add(ingress, services);
    for (const rules of this.#hosts.values()) rules.sort(byPrecedence);
  }

  /** Routes a request. `host` is the value of the Host header, with or without a port. */
  route(host: string, path: string): Routed {
    const name = hostName(host);
    const wildcard = name.includes('.') ? `*${name.slice(name.indexOf('.'))}` : '';
    const rules = this.#hosts.get(name) ?? this.#hosts.get(wildcard) ?? this.#hosts.get('');
    const rule = [...(rules ?? []), ...this.#fallbacks].find((found) => matches(found, path));
    if (rule) return rule.target ? { is: 'target', target: rule.target } : { is: 'no-service', label: rule.label };
    return { is: rules ? 'no-path' : 'no-host' };
  }

  #add(ingress: Immutable<Ingress>, services: ReadonlyMap<string, Immutable<KubernetesService>>): void {
    const namespace = ingress.metadata.namespace ?? '';
    for (const { host = '', http } of ingress.spec?.rules ?? []) {
      const rules = this.#hosts.get(host.toLowerCase()) ?? [];
      this.#hosts.set(host.toLowerCase(), rules);
      for (const { path = '/', pathType, backend } of http?.paths ?? []) {
        const isExact = pathType === 'Exact';
        const prefix = path.replace(/(?<!\/)\/+$/, '') || '/';
        rules.push({ path: isExact ? path : prefix, isExact, ...resolved(namespace, backend, services) });
      }
    }
    const fallback = ingress.spec?.defaultBackend;
    if (fallback) this.#fallbacks.push({ path: '/', isExact: false, ...resolved(namespace, fallback, services) });
  }
}

const ageOf = ({ metadata }: Immutable<Ingress>): string =>
  `${metadata.creationTimestamp ?? ''}/${metadata.namespace ?? ''}/${metadata.name ?? ''}`;

/** Longer paths first, exact before prefix. Sorting is stable, so the oldest of equal rules stays first. */
const byPrecedence = (a: PathRule, b: PathRule): number => b.path.length - a.path.length || Number(b.isExact) - Number(a.isExact);

/** The host name of a Host header: without port and trailing dot, in lower case. */
function hostName(host: string): string {
  const name = host.startsWith('[') ? host.slice(0, host.indexOf(']') + 1) : host.replace(/:\d*$/, '');
  return name.replace(/\.$/, '').toLowerCase();
}

/** A prefix matches whole path segments: `/a` matches `/a` and `/a/b`, not `/ab`. */
function matches({ path, isExact }: PathRule, requested: string): boolean {
  if (isExact) return requested === path;
  return path === '/' || requested === path || requested.startsWith(`${path}/`);
}

function resolved(
  namespace: string,
  backend: Immutable<IngressBackend>,
  services: ReadonlyMap<string, Immutable<KubernetesService>>,
): Pick<PathRule, 'target' | 'label'> {
  const { name = '', port } = backend.service ?? {};
  const service = `${namespace}/${name}`;
  const found = services
    .get(service)
    ?.spec?.ports?.find((candidate) => (port?.name ? candidate.name === port.name : candidate.port === port?.number));
  return {
    target: found && { service, portName: found.name ?? '' },
    label: `service "${name}", port ${port?.name ?? port?.number ?? 'unnamed'}`,
  };
}

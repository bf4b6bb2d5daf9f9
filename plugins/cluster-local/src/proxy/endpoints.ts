import type { EndpointSlice, Immutable } from '@tappaas/sdk';

/** The address of one pod for one port of a service. */
export interface Endpoint {
  readonly podUid: string;
  readonly host: string;
  readonly port: number;
}

/** The endpoints of one service port. */
export interface ServiceEndpoints {
  /** Ready according to their slices. */
  readonly ready: readonly Endpoint[];
  /** Not ready or terminating, but possibly still responding; used when none is ready. */
  readonly serving: readonly Endpoint[];
}

type Ports = ReadonlyMap<string, ServiceEndpoints>;
type Slice = Immutable<EndpointSlice>;

const none: ServiceEndpoints = { ready: [], serving: [] };
const serviceLabel = 'kubernetes.io/service-name';

/** Endpoints of all services. The cost of updating a slice depends only on the number of slices of its service. */
export class EndpointTable {
  readonly #slices = new Map<string, Slice>();
  readonly #keysByService = new Map<string, Set<string>>();
  readonly #ports = new Map<string, Ports>();
  readonly #servicesByPod = new Map<string, Set<string>>();

  /** Adds or replaces a slice, or removes it when undefined. */
  set(key: string, slice: Slice | undefined): void {
    const before = this.#slices.get(key);
    if (slice) this.#slices.set(key, slice);
    else this.#slices.delete(key);
    const services = new Set([before, slice].filter((one) => one !== undefined).map(serviceOf));
    for (const service of services) {
      const keys = this.#keysByService.get(service) ?? new Set<string>();
      if (slice && serviceOf(slice) === service) keys.add(key);
      else keys.delete(key);
      this.#refresh(service, keys);
    }
  }

  /** Endpoints of a service port; `service` is `namespace/name`. */
  of(service: string, portName: string): ServiceEndpoints {
    return this.#ports.get(service)?.get(portName) ?? none;
  }

  /** Whether every port of every service that the pod belongs to has another ready endpoint that is usable. */
  hasOthers(podUid: string, isUsable: (endpoint: Endpoint) => boolean): boolean {
    return [...(this.#servicesByPod.get(podUid) ?? [])].every((service) =>
      [...(this.#ports.get(service)?.values() ?? [])].every(({ ready }) =>
        ready.some((endpoint) => endpoint.podUid !== podUid && isUsable(endpoint)),
      ),
    );
  }

  #refresh(service: string, keys: Set<string>): void {
    const before = podsOf(this.#ports.get(service));
    const slices = [...keys].map((key) => this.#slices.get(key)).filter((slice) => slice !== undefined);
    const ports = portsOf(slices);
    if (keys.size > 0) this.#keysByService.set(service, keys);
    else this.#keysByService.delete(service);
    if (ports.size > 0) this.#ports.set(service, ports);
    else this.#ports.delete(service);
    const after = podsOf(ports);
    for (const pod of before) if (!after.has(pod)) this.#leave(pod, service);
    for (const pod of after) this.#servicesByPod.set(pod, (this.#servicesByPod.get(pod) ?? new Set()).add(service));
  }

  #leave(pod: string, service: string): void {
    const services = this.#servicesByPod.get(pod);
    services?.delete(service);
    if (services?.size === 0) this.#servicesByPod.delete(pod);
  }
}

const serviceOf = ({ metadata }: Slice): string => `${metadata.namespace ?? ''}/${metadata.labels?.[serviceLabel] ?? ''}`;

const podsOf = (ports: Ports | undefined): ReadonlySet<string> =>
  new Set([...(ports?.values() ?? [])].flatMap(({ ready, serving }) => [...ready, ...serving]).map(({ podUid }) => podUid));

function portsOf(slices: readonly Slice[]): Ports {
  const ports = new Map<string, { readonly ready: Endpoint[]; readonly serving: Endpoint[] }>();
  for (const slice of slices) {
    for (const { name = '', port } of slice.ports ?? []) {
      if (port === undefined) continue;
      const found = ports.get(name) ?? { ready: [], serving: [] };
      ports.set(name, found);
      for (const { addresses, conditions, targetRef } of slice.endpoints ?? []) {
        const endpoint = { podUid: targetRef?.uid ?? '', host: addresses[0] ?? '127.0.0.1', port };
        if (conditions?.ready !== false) found.ready.push(endpoint);
        else if (conditions.serving) found.serving.push(endpoint);
      }
    }
  }
  return ports;
}

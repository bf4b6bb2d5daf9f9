import type { EndpointSlice, Immutable } from '@tappaas/sdk';

/** Where one pod answers for one port of a service. */
export interface Endpoint {
  readonly podUid: string;
  readonly host: string;
  readonly port: number;
}

/** A service's endpoints by the name of its port. */
export interface ServiceEndpoints {
  /** Ready by what the platform says. */
  readonly ready: readonly Endpoint[];
  /** Not ready or ending, but their processes may still answer; used when nothing is ready. */
  readonly serving: readonly Endpoint[];
}

const none: ServiceEndpoints = { ready: [], serving: [] };
const serviceLabel = 'kubernetes.io/service-name';

/** Endpoints of all services, made anew from the slices when they change. */
export class EndpointTable {
  #byService = new Map<string, Map<string, ServiceEndpoints>>();

  /** Replaces everything by what these slices say. */
  replace(slices: Iterable<Immutable<EndpointSlice>>): void {
    const services = new Map<string, Map<string, { ready: Endpoint[]; serving: Endpoint[] }>>();
    for (const slice of slices) {
      const service = `${slice.metadata.namespace ?? ''}/${slice.metadata.labels?.[serviceLabel] ?? ''}`;
      const ports = services.get(service) ?? new Map<string, { ready: Endpoint[]; serving: Endpoint[] }>();
      services.set(service, ports);
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
    this.#byService = services;
  }

  /** Endpoints of a service port; `service` is `namespace/name`. */
  of(service: string, portName: string): ServiceEndpoints {
    return this.#byService.get(service)?.get(portName) ?? none;
  }

  /** Whether a service has endpoints of other pods that are ready, wherever this pod has one. */
  hasOthers(podUid: string, isUsable: (endpoint: Endpoint) => boolean): boolean {
    for (const ports of this.#byService.values()) {
      for (const { ready, serving } of ports.values()) {
        const isMember = [...ready, ...serving].some((endpoint) => endpoint.podUid === podUid);
        if (isMember && !ready.some((endpoint) => endpoint.podUid !== podUid && isUsable(endpoint))) return false;
      }
    }
    return true;
  }
}

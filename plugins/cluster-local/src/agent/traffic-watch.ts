import type { Clock, EndpointSlice, Ingress, KubernetesObject, KubernetesService, Logger } from '@tappaas/sdk';
import type { EndpointTable } from '../proxy/endpoints.js';
import { IngressRoutes } from '../proxy/ingress-routes.js';
import type { ServicePorts } from '../proxy/service-ports.js';
import type { ApiClient } from './api/api-client.js';
import type { Reflector } from './api/reflector.js';
import { announceIngress, announceService } from './announce.js';

export interface TrafficWatchOptions {
  readonly client: ApiClient;
  readonly clock: Clock;
  readonly log: Logger;
  readonly table: EndpointTable;
  readonly servicePorts: ServicePorts;
  /** The port that serves Ingress hosts; undefined until one does. */
  readonly httpPort: () => number | undefined;
  readonly signal: AbortSignal;
  reflector<T extends KubernetesObject>(path: string, onChange: (keys: ReadonlySet<string>) => void): Reflector<T>;
}

/** Delay before failed work is retried, milliseconds. */
const againMs = 1000;
/** Maximum share of the time that rebuilding routes may take. */
const routesShare = 0.1;

/**
 * Watches services, endpoints and ingresses, and updates the proxy; the cost of an update grows only with the size of the change, except
 * for routes.
 */
export class TrafficWatch {
  readonly #options: TrafficWatchOptions;
  readonly #slices: Reflector<EndpointSlice>;
  readonly #services: Reflector<KubernetesService>;
  readonly #ingresses: Reflector<Ingress>;
  readonly #changedServices = new Set<string>();
  readonly #changedIngresses = new Set<string>();
  #working = false;
  #routes = new IngressRoutes([], new Map());
  #areRoutesStale = false;
  #routesAgainMs = 0;

  constructor(options: TrafficWatchOptions) {
    const { table } = options;
    this.#options = options;
    this.#slices = options.reflector('/apis/discovery.k8s.io/v1/endpointslices', (keys) => {
      for (const key of keys) table.set(key, this.#slices.objects.get(key));
    });
    this.#services = options.reflector('/api/v1/services', (keys) => this.#onChange(this.#changedServices, keys));
    this.#ingresses = options.reflector('/apis/networking.k8s.io/v1/ingresses', (keys) => this.#onChange(this.#changedIngresses, keys));
  }

  /** Runs until aborted. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    await Promise.all([this.#slices.run(signal), this.#services.run(signal), this.#ingresses.run(signal)]);
  }

  /** The routes, rebuilt by the first call after a change, but not more often than `routesShare` allows. */
  routes(): IngressRoutes {
    const { clock } = this.#options;
    const startMs = clock.nowMs();
    if (this.#areRoutesStale && startMs >= this.#routesAgainMs) {
      this.#routes = new IngressRoutes(this.#ingresses.objects.values(), this.#services.objects);
      this.#areRoutesStale = false;
      const tookMs = clock.nowMs() - startMs;
      this.#routesAgainMs = startMs + tookMs / routesShare;
    }
    return this.#routes;
  }

  /** Writes the proxy's port into every Ingress after it has changed. */
  announceIngresses(): void {
    this.#onChange(this.#changedIngresses, new Set(this.#ingresses.objects.keys()));
  }

  #onChange(changed: Set<string>, keys: ReadonlySet<string>): void {
    this.#areRoutesStale = true;
    for (const key of keys) changed.add(key);
    if (!this.#working) void this.#work();
  }

  async #work(): Promise<void> {
    const { clock, log, signal } = this.#options;
    this.#working = true;
    try {
      while ((this.#changedServices.size > 0 || this.#changedIngresses.size > 0) && !signal.aborted) {
        await this.#bringUpToDate().catch(async (error: unknown) => {
          log.warn('services not brought up to date', { error: String(error) });
          await clock.sleep(againMs, signal).catch(() => undefined);
        });
      }
    } finally {
      this.#working = false;
    }
  }

  /** Updates listeners before the objects that announce them; failed ones stay queued. */
  async #bringUpToDate(): Promise<void> {
    const { client, servicePorts, httpPort, signal } = this.#options;
    for (const key of this.#changedServices) {
      const service = this.#services.objects.get(key);
      await servicePorts.set(key, service);
      if (service) await announceService(client, service, servicePorts.portsOf(key), signal);
      if (this.#services.objects.get(key) === service) this.#changedServices.delete(key);
    }
    for (const key of this.#changedIngresses) {
      const ingress = this.#ingresses.objects.get(key);
      const port = httpPort();
      if (ingress && port !== undefined) await announceIngress(client, ingress, port, signal);
      if (this.#ingresses.objects.get(key) === ingress) this.#changedIngresses.delete(key);
    }
  }
}

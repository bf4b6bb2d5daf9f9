import type { Clock, Immutable, KubernetesService, Logger } from '@tappaas/sdk';
import { portsIn, servicePortsAnnotation } from '../annotations.js';
import { variableName } from '../agent/pod/environment.js';
import type { PortPool } from '../agent/pod/host-ports.js';
import type { Balancer } from './balancer.js';
import { keepListening } from './keep-listening.js';
import { serviceListener } from './service-listener.js';

type Service = Immutable<KubernetesService>;

interface Open {
  readonly name: string;
  readonly number: number;
  readonly isFixed: boolean;
  readonly isHttp: boolean;
  readonly stop: AbortController;
}

const address = '127.0.0.1';

/**
 * A loopback port for every TCP port of every service, the same for the service's lifetime.
 *
 * The port numbers are stored in the services' annotations, from which the next agent restores them. A port is always open, since clients
 * that start later expect it under the announced number. A port with `appProtocol: http` is balanced by request, others by connection.
 */
export class ServicePorts {
  readonly #pool: PortPool;
  readonly #balancer: Balancer;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** By `namespace/name`, then by the number of the service's port. */
  readonly #open = new Map<string, Map<number, Open>>();
  readonly #byNamespace = new Map<string, Map<string, Service>>();

  constructor(pool: PortPool, balancer: Balancer, clock: Clock, log: Logger) {
    this.#pool = pool;
    this.#balancer = balancer;
    this.#clock = clock;
    this.#log = log;
  }

  /** Updates the listeners of one service; `service` is undefined when it was deleted. Calls must not overlap. */
  async set(key: string, service: Service | undefined): Promise<void> {
    this.#index(key, service);
    const wanted = new Map(
      (service === undefined || service.spec?.type === 'ExternalName' ? [] : tcpPorts(service)).map((port) => [port.port, port]),
    );
    const present = this.#open.get(key) ?? new Map<number, Open>();
    for (const [port, open] of present) {
      const next = wanted.get(port);
      if (next && (next.appProtocol === 'http') === open.isHttp && (next.name ?? '') === open.name) continue;
      open.stop.abort();
      present.delete(port);
      if (!open.isFixed) this.#pool.release(open.number);
    }
    const annotated = portsIn(service?.metadata.annotations?.[servicePortsAnnotation]);
    for (const [port, { name = '', nodePort, appProtocol }] of wanted) {
      if (present.has(port)) continue;
      const number = nodePort ?? (await this.#take(key, annotated[name === '' ? String(port) : name]));
      if (number === undefined) continue;
      present.set(port, { name, number, isFixed: nodePort !== undefined, isHttp: appProtocol === 'http', stop: new AbortController() });
    }
    if (present.size > 0) this.#open.set(key, present);
    else this.#open.delete(key);
    for (const open of present.values()) this.#listen(key, open);
  }

  /** The loopback ports of a service by name or number of its ports, the content of its annotation. */
  portsOf(key: string): Readonly<Record<string, number>> {
    const entries = [...(this.#open.get(key) ?? [])].toSorted(([a], [b]) => a - b);
    return Object.fromEntries(entries.map(([port, { name, number }]) => [name === '' ? String(port) : name, number]));
  }

  /**
   * Environment variables with the addresses of a namespace's services: `<SERVICE>_SERVICE_HOST`, `<SERVICE>_SERVICE_PORT`, and one for
   * each named port.
   */
  variables(namespace: string): Readonly<Record<string, string>> {
    const variables: Record<string, string> = {};
    for (const [key, service] of this.#byNamespace.get(namespace) ?? []) {
      const name = variableName(service.metadata.name ?? '');
      const open = this.#open.get(key);
      const [first] = (service.spec?.ports ?? []).flatMap(({ port }) => open?.get(port)?.number ?? []);
      if (first === undefined) continue;
      variables[`${name}_SERVICE_HOST`] = address;
      variables[`${name}_SERVICE_PORT`] = String(first);
      for (const [port, number] of Object.entries(this.portsOf(key)))
        variables[`${name}_SERVICE_PORT_${variableName(port)}`] = String(number);
    }
    return variables;
  }

  close(): void {
    for (const ports of this.#open.values()) for (const { stop } of ports.values()) stop.abort();
    this.#open.clear();
  }

  #index(key: string, service: Service | undefined): void {
    const namespace = key.slice(0, key.indexOf('/'));
    const services = this.#byNamespace.get(namespace) ?? new Map<string, Service>();
    if (service) services.set(key, service);
    else services.delete(key);
    if (services.size > 0) this.#byNamespace.set(namespace, services);
    else this.#byNamespace.delete(namespace);
  }

  /**
   * Allocates the previously announced port if it is free, else another one; undefined when no port is left, so that the service has none.
   */
  async #take(key: string, before: number | undefined): Promise<number | undefined> {
    if (before !== undefined && (await this.#pool.takeThis(before))) return before;
    try {
      return await this.#pool.take();
    } catch (error) {
      this.#log.warn('no loopback port for a service', { service: key, error: error instanceof Error ? error.message : String(error) });
      return undefined;
    }
  }

  readonly #listening = new WeakSet<Open>();

  #listen(service: string, open: Open): void {
    if (this.#listening.has(open)) return;
    this.#listening.add(open);
    const { server, close } = serviceListener({ service, portName: open.name }, open.isHttp, this.#balancer);
    void keepListening(server, address, open.number, this.#clock, open.stop.signal, (error) => {
      if (error) this.#log.warn('service port not open', { service, port: open.number, error: error.message });
    }).then(close);
  }
}

const tcpPorts = ({ spec }: Service) => (spec?.ports ?? []).filter(({ protocol }) => (protocol ?? 'TCP') === 'TCP');

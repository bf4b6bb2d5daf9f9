import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock, Immutable, KubernetesService, Logger } from '@tappaas/sdk';
import { readJson, writeDurably } from '../agent/durable-file.js';
import { variableName } from '../agent/pod/environment.js';
import type { PortPool } from '../agent/pod/host-ports.js';
import type { Balancer } from './balancer.js';
import { HttpProxy } from './http-proxy.js';
import type { Target } from './ingress-routes.js';
import { keepListening } from './keep-listening.js';

interface Open {
  readonly port: number;
  readonly stop: AbortController;
  readonly isHttp: boolean;
}

const address = '127.0.0.1';
const answerMs = 120_000;
const triesMax = 4;

/**
 * A loopback port for every TCP port of every service, the same for as long as the service exists, also after a restart.
 *
 * Applications learn it as `<SERVICE>_SERVICE_HOST` and `<SERVICE>_SERVICE_PORT`. A port that says it speaks http (`appProtocol: http`)
 * is balanced by request, others by connection.
 */
export class ServicePorts {
  readonly #file: string;
  readonly #pool: PortPool;
  readonly #balancer: Balancer;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #open = new Map<string, Open>();
  #numbers = new Map<string, number>();
  #services = new Map<string, Immutable<KubernetesService>>();

  constructor(file: string, pool: PortPool, balancer: Balancer, clock: Clock, log: Logger) {
    this.#file = file;
    this.#pool = pool;
    this.#balancer = balancer;
    this.#clock = clock;
    this.#log = log;
  }

  /** Takes up the numbers given before. */
  async load(): Promise<void> {
    const numbers = (await readJson<Record<string, number>>(this.#file)) ?? {};
    this.#numbers = new Map(Object.entries(numbers));
    for (const port of this.#numbers.values()) this.#pool.claim(port);
  }

  /** Opens and closes listeners so that they fit the services. Calls must not overlap. */
  async sync(services: Iterable<Immutable<KubernetesService>>): Promise<void> {
    const wanted = new Map<string, { readonly target: Target; readonly isHttp: boolean; readonly fixed: number | undefined }>();
    this.#services = new Map();
    for (const service of services) {
      const name = `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`;
      this.#services.set(name, service);
      for (const { name: portName = '', port, protocol = 'TCP', appProtocol, nodePort } of service.spec?.ports ?? []) {
        if (protocol !== 'TCP' || service.spec?.type === 'ExternalName') continue;
        wanted.set(`${name}/${port}`, { target: { service: name, portName }, isHttp: appProtocol === 'http', fixed: nodePort });
      }
    }
    for (const [key, open] of this.#open) if (wanted.get(key)?.isHttp !== open.isHttp) this.#close(key, open, wanted.has(key));
    let changed = false;
    for (const key of this.#numbers.keys()) {
      if (wanted.has(key)) continue;
      this.#pool.release(this.#numbers.get(key) ?? 0);
      this.#numbers.delete(key);
      changed = true;
    }
    for (const [key, { fixed }] of wanted) {
      if (this.#numbers.has(key)) continue;
      this.#numbers.set(key, fixed ?? (await this.#pool.take()));
      changed = true;
    }
    if (changed) await writeDurably(this.#file, JSON.stringify(Object.fromEntries(this.#numbers)));
    for (const [key, { target, isHttp }] of wanted) if (!this.#open.has(key)) this.#listen(key, target, isHttp);
  }

  /** Ports of one service by name or number of its ports, as its annotation says. */
  portsOf(service: Immutable<KubernetesService>): Readonly<Record<string, number>> {
    const prefix = `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`;
    const ports = (service.spec?.ports ?? []).flatMap(({ name, port }) => {
      const number = this.#numbers.get(`${prefix}/${port}`);
      return number === undefined ? [] : [[name ?? String(port), number] as const];
    });
    return Object.fromEntries(ports);
  }

  /** Where the services of a namespace answer. */
  variables(namespace: string): Readonly<Record<string, string>> {
    const variables: Record<string, string> = {};
    for (const service of this.#services.values()) {
      if (service.metadata.namespace !== namespace) continue;
      const name = variableName(service.metadata.name ?? '');
      const ports = Object.entries(this.portsOf(service));
      const [first] = ports;
      if (!first) continue;
      variables[`${name}_SERVICE_HOST`] = address;
      variables[`${name}_SERVICE_PORT`] = String(first[1]);
      for (const [port, number] of ports) variables[`${name}_SERVICE_PORT_${variableName(port)}`] = String(number);
    }
    return variables;
  }

  close(): void {
    for (const [key, open] of this.#open) this.#close(key, open, true);
  }

  #close(key: string, { stop, port }: Open, keepsNumber: boolean): void {
    stop.abort();
    this.#open.delete(key);
    if (!keepsNumber) this.#pool.release(port);
  }

  #listen(key: string, target: Target, isHttp: boolean): void {
    const port = this.#numbers.get(key) ?? 0;
    const stop = new AbortController();
    this.#open.set(key, { port, stop, isHttp });
    const { server, close } = isHttp ? this.#httpServer(target) : this.#tcpServer(target);
    void keepListening(server, address, port, this.#clock, stop.signal, (error) => {
      if (error) this.#log.warn('service port not open', { service: target.service, port, error: error.message });
    }).then(close);
  }

  #httpServer(target: Target): { readonly server: Server; readonly close: () => void } {
    const proxy = new HttpProxy({ balancer: this.#balancer, answerMs, decide: () => ({ target }) });
    const server = createHttpServer({ keepAlive: true, requestTimeout: 0 });
    server.on('request', proxy.onRequest);
    server.on('upgrade', proxy.onUpgrade);
    return {
      server,
      close: () => {
        server.close();
        server.closeAllConnections();
        proxy.close();
      },
    };
  }

  #tcpServer(target: Target): { readonly server: Server; readonly close: () => void } {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
      this.#connect(socket, this.#balancer.choose(target.service, target.portName).slice(0, triesMax));
    });
    const close = () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    };
    return { server, close };
  }

  #connect(socket: Socket, endpoints: ReturnType<Balancer['choose']>): void {
    const [endpoint, ...others] = endpoints;
    if (!endpoint || socket.destroyed) return void socket.destroy();
    const upstream = connect({ host: endpoint.host, port: endpoint.port, allowHalfOpen: true });
    let connected = false;
    upstream.once('connect', () => {
      connected = true;
      socket.pipe(upstream).pipe(socket);
      socket.once('close', () => upstream.destroy());
      upstream.once('close', () => socket.destroySoon());
    });
    upstream.once('error', () => {
      if (connected) return void socket.destroy();
      this.#balancer.refuse(endpoint);
      this.#connect(socket, others);
    });
  }
}

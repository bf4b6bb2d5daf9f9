import { join } from 'node:path';
import type { AddressInfo, Server } from 'node:net';
import { isDeepStrictEqual } from 'node:util';
import { replaceFile } from '@tappaas/sdk/durable-file';
import type { Clock, KubernetesObject, Logger, Pod } from '@tappaas/sdk';
import { Balancer } from '../proxy/balancer.js';
import { EndpointTable } from '../proxy/endpoints.js';
import { serveIngress } from '../proxy/ingress-listener.js';
import { listenOnce } from '../proxy/keep-listening.js';
import { MovingIngress } from '../proxy/moving-ingress.js';
import { ServicePorts } from '../proxy/service-ports.js';
import { agentServer } from './agent-server.js';
import { ApiClient } from './api/api-client.js';
import { ConnectionFile } from './api/connection-file.js';
import { Reflector } from './api/reflector.js';
import { ImageStore } from './image/image-store.js';
import { readHostFacts, type HostFacts } from './node/host-facts.js';
import { keepNodes } from './node/node-heartbeat.js';
import type { NodeView } from './node/node-object.js';
import { UsageMeter } from './node/pod-usage.js';
import { PodHttpApi } from './pod/pod-http-api.js';
import { PortPool } from './pod/host-ports.js';
import type { PodContext } from './pod/pod-context.js';
import { PodEvents } from './pod/pod-events.js';
import { PodSet } from './pod/pod-set.js';
import { identify } from './process/identity.js';
import { Outage } from './outage.js';
import { TrafficWatch } from './traffic-watch.js';
import { files, lastingDigest, settingsDigest, type AgentRecord, type AgentSettings } from './settings.js';
import { namespaceObstacle } from './volume/mount-namespace.js';

/** What the process provides to the agent. */
export interface AgentOptions {
  readonly directory: string;
  readonly settings: AgentSettings;
  /** Reads the present settings. */
  readonly readSettings: () => Promise<AgentSettings>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly token: string;
  /** Environment variables of every container. */
  readonly base: Readonly<Record<string, string>>;
  readonly runtimeVersion: string;
}

/** How an agent ends. */
export interface AgentEnd {
  readonly pods: 'end' | 'keep';
  readonly graceMs: number;
}

const lookMs = 1000;

/** Number of possible starting positions in the range of pod ports. */
const portStarts = 65_536;

/** The node agent of one machine: runs pods, and serves services and Ingress hosts. */
export class Agent {
  readonly #options: AgentOptions;
  readonly #client: ApiClient;
  readonly #stopping = new AbortController();
  readonly #table = new EndpointTable();
  readonly #balancer: Balancer;
  readonly #end = Promise.withResolvers<AgentEnd>();
  /** Listeners for Ingress hosts, including draining ones. */
  readonly #listeners = new Set<Server>();
  #settings: AgentSettings;
  /** Aborts to restart the watches and heartbeats when the node names change. */
  #nodes = new AbortController();
  #proxyProblem: string | undefined;

  constructor(options: AgentOptions) {
    const { directory, clock } = options;
    this.#options = options;
    this.#settings = options.settings;
    this.#client = new ApiClient(new ConnectionFile(join(directory, files.connection)), clock);
    this.#balancer = new Balancer(this.#table, clock);
  }

  /** Requests the end of the agent; only the first call has an effect. */
  end(how: AgentEnd): void {
    this.#end.resolve(how);
  }

  /** Works until `end` is called, or the platform has been unavailable for longer than the grace period. */
  async run(): Promise<void> {
    const { directory, settings, clock, log } = this.#options;
    const { signal } = this.#stopping;
    const facts = await readHostFacts(directory);
    const servicePorts = new ServicePorts(new PortPool(settings.servicePorts), this.#balancer, clock, log);
    const traffic = new TrafficWatch({
      client: this.#client,
      clock,
      log,
      table: this.#table,
      servicePorts,
      httpPort: () => ingress.servedPort,
      signal,
      reflector: (path, onChange) => this.#reflector(path, onChange),
    });
    const ingress = this.#ingress(traffic);
    const pods = new PodSet(await this.#podContext(servicePorts, facts));
    await pods.open();
    const meter = new UsageMeter(pods, clock);
    const server = agentServer({
      token: this.#options.token,
      pods,
      usage: () => meter.measure(),
      state: () => ({
        pods: pods.size,
        settingsDigest: settingsDigest(this.#settings),
        proxyProblem: this.#proxyProblem ?? '',
        lastContactMs: this.#client.lastContactMs,
      }),
      readSettings: async () => this.#take(await this.#options.readSettings(), ingress),
      stop: (keep, graceMs) => this.end({ pods: keep, graceMs }),
      signal,
    });
    const error = await listenOnce(server, '127.0.0.1', 0);
    if (error) throw error;
    const port = (server.address() as AddressInfo).port;
    await this.#announceSelf(port);
    const work = [traffic.run(), this.#followNodes(pods, (name) => this.#nodeView(name, facts, port))];
    ingress.moveTo(settings.httpPort);
    void this.#watchPlatform();
    const how = await this.#end.promise;
    log.info('ending', { ...how });
    if (how.pods === 'end') await pods.stop(how.graceMs);
    else await pods.abandon();
    this.#stopping.abort();
    servicePorts.close();
    server.closeAllConnections();
    server.close();
    await Promise.all([...work, ingress.close()]);
    this.#client.close();
  }

  /** Adopts new settings without interruption; those in `lastingDigest` are fixed for the agent's lifetime. */
  #take(next: AgentSettings, ingress: MovingIngress): void {
    const before = this.#settings;
    this.#settings = next;
    if (!isDeepStrictEqual(before.nodes, next.nodes)) this.#nodes.abort();
    for (const listener of this.#listeners) listener.maxConnections = next.connectionsMax;
    ingress.moveTo(next.httpPort);
  }

  /**
   * Watches the pods of the agent's nodes and sends heartbeats. Restarts when the node names change; pods on remaining nodes keep running.
   */
  async #followNodes(pods: PodSet, view: (name: string) => NodeView): Promise<void> {
    const { clock, log } = this.#options;
    const stopping = this.#stopping.signal;
    while (!stopping.aborted) {
      this.#nodes = new AbortController();
      const { nodes, heartbeatMs } = this.#settings;
      const signal = AbortSignal.any([stopping, this.#nodes.signal]);
      await Promise.all([
        this.#watchPods(pods, nodes, signal),
        keepNodes({ client: this.#client, clock, log, heartbeatMs, nodes, view }, signal),
      ]);
    }
  }

  async #podContext(servicePorts: ServicePorts, facts: HostFacts): Promise<PodContext> {
    const { directory, settings, clock, log, base } = this.#options;
    const images = new ImageStore(settings.imagesDirectory, join(directory, 'images'));
    await images.open();
    let obstacle: Promise<string | undefined> | undefined;
    const current = () => this.#settings;
    return {
      get settings() {
        return current();
      },
      clock,
      log,
      images,
      base,
      api: new PodHttpApi(this.#client, clock, this.#stopping.signal),
      traffic: this.#balancer,
      events: new PodEvents(this.#client, clock, log, this.#stopping.signal),
      ports: new PortPool(settings.podPorts, Math.floor(this.#options.random() * portStarts)),
      podsDirectory: join(directory, 'pods'),
      serviceVariables: (namespace) => servicePorts.variables(namespace),
      capacity: { cpu: facts.cpu, memory: facts.memoryBytes, 'ephemeral-storage': facts.storageBytes },
      namespaceObstacle: () => (obstacle ??= namespaceObstacle(join(directory, 'stage'))),
    };
  }

  async #announceSelf(port: number): Promise<void> {
    const { directory, token } = this.#options;
    const self = identify(process.pid);
    if (self === undefined) throw new Error('this process cannot find out its own start time');
    const record: AgentRecord = { ...self, port, token, lastingDigest: lastingDigest(this.#settings) };
    await replaceFile(join(directory, files.agent), JSON.stringify(record));
  }

  #reflector<T extends KubernetesObject>(
    path: string,
    onChange: (keys: ReadonlySet<string>) => void,
    fieldSelector?: string,
  ): Reflector<T> {
    const { clock, random, log } = this.#options;
    const onError = (error: unknown) => log.debug('watch failed', { path, error: String(error) });
    return new Reflector<T>({
      client: this.#client,
      clock,
      random,
      path,
      onChange,
      onError,
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    });
  }

  async #watchPods(pods: PodSet, nodes: readonly string[], signal: AbortSignal): Promise<void> {
    const reflectors: Reflector<Pod>[] = nodes.map((node) =>
      this.#reflector<Pod>(
        '/api/v1/pods',
        () => {
          if (!signal.aborted && reflectors.every(({ synced }) => synced))
            pods.sync(reflectors.flatMap(({ objects }) => [...objects.values()]));
        },
        `spec.nodeName=${node}`,
      ),
    );
    await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
  }

  #nodeView(name: string, facts: HostFacts, agentPort: number) {
    const { clock, runtimeVersion } = this.#options;
    const { nodes, podsMax, cpuOvercommit, version } = this.#settings;
    const problem = this.#proxyProblem === undefined ? {} : { proxyProblem: this.#proxyProblem };
    return {
      name,
      nodes: nodes.length,
      podsMax,
      cpuOvercommit,
      facts,
      version,
      runtimeVersion,
      agentPort,
      nowMs: clock.nowMs(),
      ...problem,
    };
  }

  #ingress(traffic: TrafficWatch): MovingIngress {
    const { clock, log } = this.#options;
    const { httpPortSetting: portSetting } = this.#settings;
    const parts = { portSetting, listeners: this.#listeners, balancer: this.#balancer, routes: () => traffic.routes(), clock };
    return new MovingIngress({
      serve: (port, signal, onProblem) =>
        serveIngress({ ...parts, port, connectionsMax: this.#settings.connectionsMax, onProblem }, () => this.#settings.drainMs, signal),
      onProblem: (problem) => {
        if (problem !== undefined && problem !== this.#proxyProblem) log.error(problem);
        this.#proxyProblem = problem;
      },
      onServed: () => traffic.announceIngresses(),
    });
  }

  /** Ends pods and agent when the platform has been unavailable for longer than the grace period. */
  async #watchPlatform(): Promise<void> {
    const { clock, log } = this.#options;
    const { signal } = this.#stopping;
    const outage = new Outage(clock.nowMs());
    while (!signal.aborted) {
      await clock.sleep(lookMs, signal).catch(() => undefined);
      const awayMs = outage.look(clock.nowMs(), this.#client.lastContactMs);
      const { gracePeriodSeconds } = this.#settings;
      if (awayMs < gracePeriodSeconds * 1000) continue;
      log.warn('the platform has been away for longer than the grace period', { gracePeriodSeconds });
      return this.end({ pods: 'end', graceMs: 30_000 });
    }
  }
}

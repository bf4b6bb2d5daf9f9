import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
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
import { UsageMeter } from './node/pod-usage.js';
import { PodHttpApi } from './pod/pod-http-api.js';
import { PortPool } from './pod/host-ports.js';
import type { PodContext } from './pod/pod-context.js';
import { PodEvents } from './pod/pod-events.js';
import { PodSet } from './pod/pod-set.js';
import { identify } from './process/identity.js';
import { Outage } from './outage.js';
import { TrafficWatch } from './traffic-watch.js';
import { files, type AgentRecord, type AgentSettings } from './settings.js';
import { namespaceObstacle } from './volume/mount-namespace.js';

/** What the process gives the agent. */
export interface AgentOptions {
  readonly directory: string;
  readonly settings: AgentSettings;
  readonly settingsDigest: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly token: string;
  /** Variables that every container gets. */
  readonly base: Readonly<Record<string, string>>;
  readonly runtimeVersion: string;
}

/** How an agent is to end. */
export interface AgentEnd {
  readonly pods: 'end' | 'keep';
  readonly graceMs: number;
}

const lookMs = 1000;

/** Everything that one machine does for its cluster: pods, services, ingress. */
/** Places at which the pods' ports may begin. */
const portStarts = 65_536;

export class Agent {
  readonly #options: AgentOptions;
  readonly #client: ApiClient;
  readonly #stopping = new AbortController();
  readonly #table = new EndpointTable();
  readonly #balancer: Balancer;
  readonly #end = Promise.withResolvers<AgentEnd>();
  #proxyProblem: string | undefined;

  constructor(options: AgentOptions) {
    const { directory, clock } = options;
    this.#options = options;
    this.#client = new ApiClient(new ConnectionFile(join(directory, files.connection)), clock);
    this.#balancer = new Balancer(this.#table, clock);
  }

  /** Asks the agent to end; the first call decides how. */
  end(how: AgentEnd): void {
    this.#end.resolve(how);
  }

  /** Works until asked to end, or until the platform has been away for longer than the grace period. */
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
        httpPort: ingress.port ?? settings.httpPort,
        proxyProblem: this.#proxyProblem ?? '',
        lastContactMs: this.#client.lastContactMs,
      }),
      moveTo: (port) => ingress.moveTo(port),
      stop: (keep, graceMs) => this.end({ pods: keep, graceMs }),
      signal,
    });
    const error = await listenOnce(server, '127.0.0.1', 0);
    if (error) throw error;
    const port = (server.address() as AddressInfo).port;
    await this.#announceSelf(port);
    const work = [
      this.#watchPods(pods, signal),
      traffic.run(),
      keepNodes(
        {
          client: this.#client,
          clock,
          log,
          heartbeatMs: settings.heartbeatMs,
          nodes: settings.nodes,
          view: (name) => this.#nodeView(name, facts, port),
        },
        signal,
      ),
    ];
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

  async #podContext(servicePorts: ServicePorts, facts: HostFacts): Promise<PodContext> {
    const { directory, settings, clock, log, base } = this.#options;
    const images = new ImageStore(settings.imagesDirectory, join(directory, 'images'));
    await images.open();
    let obstacle: Promise<string | undefined> | undefined;
    return {
      settings,
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
    const { directory, token, settingsDigest } = this.#options;
    const self = identify(process.pid);
    if (self === undefined) throw new Error('this process cannot find out its own start time');
    const record: AgentRecord = { ...self, port, token, settingsDigest };
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

  async #watchPods(pods: PodSet, signal: AbortSignal): Promise<void> {
    const reflectors: Reflector<Pod>[] = this.#options.settings.nodes.map((node) =>
      this.#reflector<Pod>(
        '/api/v1/pods',
        () => {
          if (reflectors.every(({ synced }) => synced)) pods.sync(reflectors.flatMap(({ objects }) => [...objects.values()]));
        },
        `spec.nodeName=${node}`,
      ),
    );
    await Promise.all(reflectors.map((reflector) => reflector.run(signal)));
  }

  #nodeView(name: string, facts: HostFacts, agentPort: number) {
    const { settings, clock, runtimeVersion } = this.#options;
    const { nodes, podsMax, version } = settings;
    const problem = this.#proxyProblem === undefined ? {} : { proxyProblem: this.#proxyProblem };
    return { name, nodes: nodes.length, podsMax, facts, version, runtimeVersion, agentPort, nowMs: clock.nowMs(), ...problem };
  }

  #ingress(traffic: TrafficWatch): MovingIngress {
    const { settings, clock, log } = this.#options;
    const { httpPortSetting: portSetting, connectionsMax, drainMs } = settings;
    const parts = { portSetting, connectionsMax, balancer: this.#balancer, routes: () => traffic.routes(), clock };
    return new MovingIngress({
      serve: (port, signal, onProblem) => serveIngress({ ...parts, port, onProblem }, drainMs, signal),
      onProblem: (problem) => {
        if (problem !== undefined && problem !== this.#proxyProblem) log.error(problem);
        this.#proxyProblem = problem;
      },
      onServed: () => traffic.announceIngresses(),
    });
  }

  /** Ends pods and agent when the platform stays away. */
  async #watchPlatform(): Promise<void> {
    const { clock, settings, log } = this.#options;
    const { signal } = this.#stopping;
    const outage = new Outage(clock.nowMs());
    while (!signal.aborted) {
      await clock.sleep(lookMs, signal).catch(() => undefined);
      const awayMs = outage.look(clock.nowMs(), this.#client.lastContactMs);
      if (awayMs < settings.gracePeriodSeconds * 1000) continue;
      log.warn('the platform has been away for longer than the grace period', { gracePeriodSeconds: settings.gracePeriodSeconds });
      return this.end({ pods: 'end', graceMs: 30_000 });
    }
  }
}

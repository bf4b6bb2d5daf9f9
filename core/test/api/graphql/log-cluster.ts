/** A cluster with pods of the application `shop` on a real engine, whose containers write what a test says, when it says so. */
import { timedLine } from '@tappaas/sdk/log';
import { kubernetesHandle } from '@tappaas/sdk/kubernetes';
import { objectErrors } from '@tappaas/sdk';
import type { ExecutionContext } from 'ava';
import type { ServedSubresource } from '../../../dist/api/contributions.js';
import type { EnginePort } from '../../../dist/ports/engine.js';
import { namespacesOfClusters } from '../../../dist/platform/clusters/cluster-namespaces.js';
import { createResourceEngine } from '../../../dist/resources/engine.js';
import { kernelKinds } from '../../../dist/resources/kinds/kernel-kinds.js';
import { createMemoryStore } from '../../../dist/store/memory-store.js';
import { openWatchCache } from '../../../dist/store/watch-cache.js';
import { realClock } from '../running-server.ts';
import { enginePort } from './engine-port.ts';
import { application, kindPaths, release, startGraphql, type GraphqlServer, type GraphqlServerOptions } from './graphql-server.ts';

type Query = Readonly<Record<string, string | undefined>>;

/** What one container has written, run by run; who follows it is told of what comes, until the run or the connection ends. */
class PlayedLog {
  readonly requested: Query[] = [];
  #runs: string[][] = [[]];
  #cuts = 0;
  #wakes: (() => void)[] = [];

  write(...lines: readonly string[]): void {
    this.#runs.at(-1)?.push(...lines);
    this.#wake();
  }

  /** The container ends, and is started again. */
  restart(): void {
    this.#runs.push([]);
    this.#wake();
  }

  /** Breaks the connections of all who follow. */
  cut(): void {
    this.#cuts += 1;
    this.#wake();
  }

  async *read(query: Query, signal: AbortSignal): AsyncGenerator<Uint8Array> {
    this.requested.push(query);
    const { sinceTime = '', tailLines, follow, previous } = query;
    const run = this.#runs.at(previous === 'true' ? -2 : -1);
    if (run === undefined) throw objectErrors.TAP_OBJECT_INVALID({ message: 'there is no previous run' });
    const cuts = this.#cuts;
    let reported = tailLines === undefined ? 0 : Math.max(0, run.length - Number(tailLines));
    for (;;) {
      const lines = run.slice(reported).filter((line) => (timedLine(line).time ?? '') >= sinceTime);
      reported = run.length;
      if (lines.length > 0) yield Buffer.from(`${lines.join('\n')}\n`);
      if (reported < run.length) continue;
      if (signal.aborted || follow !== 'true' || run !== this.#runs.at(-1)) return;
      if (cuts !== this.#cuts) throw Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
      await new Promise<void>((resolve) => {
        this.#wakes.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  #wake(): void {
    for (const wake of this.#wakes.splice(0)) wake();
  }
}

/** A line at a nanosecond of a day. */
export const at = (nanosecond: number, text: string): string => `2026-12-01T08:00:00.${String(nanosecond).padStart(9, '0')}Z ${text}`;

const podPath = { group: '', version: 'v1', plural: 'pods' } as const;
const namespacePath = { group: '', version: 'v1', plural: 'namespaces' } as const;

export interface LogCluster {
  readonly server: GraphqlServer;
  /** When a subscription knows what the application is at its beginning. */
  readonly watched: Promise<void>;
  /** Begins a pod; `phase` Running unless said otherwise. */
  readonly run: (name: string, options?: { readonly process?: string; readonly phase?: string }) => Promise<PlayedLog>;
  readonly setPhase: (name: string, phase: string) => Promise<void>;
  /** Ends a pod and its log. */
  readonly remove: (name: string) => Promise<void>;
  /** Says for which namespace of the platform that of the cluster was created. */
  readonly setCreatedFor: (namespace: string) => Promise<void>;
  /** Another release serves from now on, on a cluster. */
  readonly deploy: (number: number, cluster?: string) => Promise<void>;
}

/** The API beside that cluster, with the application, and with its first release unless it is to have none. */
export async function startLogCluster(
  t: ExecutionContext,
  {
    isDeployed = true,
    createdFor = 'team',
    ...options
  }: { readonly isDeployed?: boolean; readonly createdFor?: string } & Pick<GraphqlServerOptions, 'flow'> = {},
): Promise<LogCluster> {
  const store = createMemoryStore({ clock: realClock });
  const sealer = { seal: (plain: Uint8Array) => plain, open: (sealed: Uint8Array) => sealed };
  const kinds = [...kernelKinds({} as never), { kind: kubernetesHandle('', 'Pod'), plugin: 'cluster' }];
  const engine = createResourceEngine({ name: 'local', store, openWatchCache, clock: realClock, random: Math.random, kinds, sealer });
  await engine.start(AbortSignal.timeout(60_000));
  t.teardown(async () => {
    await engine.close();
    await store.close();
  });
  const logs = new Map<string, PlayedLog>();
  const log: ServedSubresource = {
    engine: 'local',
    group: '',
    plural: 'pods',
    name: 'log',
    method: 'GET',
    handle: async ({ key: { name }, query }, { signal }) => {
      const played = logs.get(name);
      if (played === undefined) throw objectErrors.TAP_OBJECT_NOT_FOUND({ message: `pods "${name}" not found` });
      return { status: 200, body: played.read(query, signal) };
    },
  };
  const watched = Promise.withResolvers<void>();
  const engines = (): ReadonlyMap<string, EnginePort> =>
    new Map<string, EnginePort>([
      ['platform', watchedEngine(server.engine, watched.resolve)],
      ['local', engine],
    ]);
  const server: GraphqlServer = await startGraphql(t, {
    engines,
    clusterNamespace: namespacesOfClusters(new Map([['local', { namespaceTemplate: '{namespace}' }]]), engines),
    subresources: () => [log],
    ...options,
  });
  const write = async (write: Parameters<typeof engine.write>[0]): Promise<void> => {
    const options = { requestId: 'test', dryRun: false, fieldValidation: 'Strict', fieldManager: 'test' } as const;
    await engine.write(write, { caller: { name: 'test', groups: [] }, signal: AbortSignal.timeout(60_000), ...options });
  };
  const create = (kind: typeof podPath | typeof namespacePath, object: object, namespace?: string) =>
    write({
      verb: 'create',
      target: { kind, ...(namespace && { namespace }) },
      body: Buffer.from(JSON.stringify(object)),
      mediaType: 'json',
    });
  const labels = { 'tappaas.dev/namespace': createdFor };
  await create(namespacePath, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team', labels } });
  const made = await server.put(kindPaths.applications, application('shop', { processes: [{ name: 'web' }, { name: 'mail' }] }));
  const setPhase: LogCluster['setPhase'] = (name, phase) =>
    write({
      verb: 'patch',
      target: { kind: podPath, namespace: 'team', name, subresource: 'status' },
      body: Buffer.from(JSON.stringify({ status: { phase } })),
      patchType: 'merge',
      force: false,
    });
  const deploy: LogCluster['deploy'] = async (number, cluster = 'local') => {
    const { spec, ...rest } = release(made, number) as ReturnType<typeof release> & { readonly spec: object };
    await server.put(kindPaths.releases, { ...rest, spec: { ...spec, cluster } });
    const path = '/apis/apps.tappaas.dev/v1alpha1/namespaces/team/applications/shop/status';
    const headers = { 'content-type': 'application/merge-patch+json' };
    t.is((await server.http(path, { method: 'PATCH', body: { status: { release: `shop-${number}` } }, headers })).status, 200);
  };
  if (isDeployed) await deploy(1);
  return {
    server,
    watched: watched.promise,
    setPhase,
    setCreatedFor: (namespace) =>
      write({
        verb: 'patch',
        target: { kind: namespacePath, name: 'team' },
        body: Buffer.from(JSON.stringify({ metadata: { labels: { 'tappaas.dev/namespace': namespace } } })),
        patchType: 'merge',
        force: false,
      }),
    deploy,
    run: async (name, { process = 'web', phase = 'Running' } = {}) => {
      const played = new PlayedLog();
      logs.set(name, played);
      const labels = { 'app.kubernetes.io/instance': 'shop', 'app.kubernetes.io/component': process };
      const spec = { containers: [{ name: process, image: 'registry.example/shop:1' }] };
      await create(podPath, { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec }, 'team');
      await setPhase(name, phase);
      return played;
    },
    remove: async (name) => {
      await write({ verb: 'delete', target: { kind: podPath, namespace: 'team', name }, options: { gracePeriodSeconds: 0 } });
      logs.get(name)?.restart();
      logs.delete(name);
    },
  };
}

/** An engine that says when something beyond the beginning of a watch is asked for. */
function watchedEngine(engine: GraphqlServer['engine'], begun: () => void): EnginePort {
  return {
    ...enginePort(engine),
    async *watch(query) {
      for await (const events of engine.watch(query)) {
        yield events;
        if (events.some(({ type }) => type === 'BOOKMARK')) begun();
      }
    },
  };
}

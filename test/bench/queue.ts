import { createInformer } from '../../core/dist/reconcile/informer.js';
import type { SourceEvent } from '../../core/dist/reconcile/source.js';
import type { WorkQueueOptions } from '../../core/dist/queue/work-queue-options.js';
import { createWorkQueue } from '../../core/dist/queue/work-queue.js';
import type { BenchmarkRow } from './row.ts';

const keys = Array.from({ length: 10_000 }, (_, n) => `tenant-${n % 100}/application-${n}`);

function makeQueue(options: Partial<WorkQueueOptions<string>>) {
  return createWorkQueue<string>({
    clock: { nowMs: () => Date.now(), sleep: () => Promise.resolve() },
    random: Math.random,
    backoff: { baseMs: 5, maxMs: 60_000, jitter: 0.5 },
    ...options,
  });
}

/** add + get + done of `rounds` times 10,000 keys by one awaiting worker, per second. */
async function operationsPerSecond(rounds: number, options: Partial<WorkQueueOptions<string>>): Promise<number> {
  const queue = makeQueue(options);
  const startMs = performance.now();
  for (let round = 0; round < rounds; round += 1) {
    for (const key of keys) queue.add(key);
    for (let n = 0; n < keys.length; n += 1) queue.done((await queue.get()) ?? '');
  }
  return (rounds * keys.length * 1_000) / (performance.now() - startMs);
}

async function best(rounds: number, options: Partial<WorkQueueOptions<string>>): Promise<number> {
  let best = 0;
  for (let attempt = 0; attempt < 3; attempt += 1) best = Math.max(best, await operationsPerSecond(rounds, options));
  return Math.round(best);
}

interface Pod {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly uid: string;
    readonly resourceVersion: string;
    readonly labels: object;
  };
  readonly spec: { readonly nodeName: string; readonly containers: readonly object[]; readonly volumes: readonly object[] };
  readonly status: object;
}

function pod(n: number, revision: number): Pod {
  const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1' } };
  const managedFields = [{ manager: 'kubelet', operation: 'Update', fieldsV1: { 'f:status': { 'f:phase': {}, 'f:podIP': {} } } }];
  const metadata = {
    name: `pod-${n}`,
    namespace: `ns-${n % 10}`,
    uid: `uid-${n}`,
    resourceVersion: String(revision),
    labels: { app: `app-${n % 100}` },
  };
  return {
    metadata: Object.assign(metadata, { managedFields }),
    spec: {
      nodeName: `node-${n % 50}`,
      containers: [
        { name: 'web', image: 'web:1', resources, env: [{ name: 'A', value: '1' }], ports: [{ name: 'http', containerPort: 80 }] },
      ],
      volumes: [{ name: 'scratch', emptyDir: {} }],
    },
    status: {
      phase: 'Running',
      podIP: '10.0.0.1',
      conditions: [
        { type: 'Ready', status: 'True' },
        { type: 'Initialized', status: 'True' },
      ],
    },
  };
}

/** Changes of 10,000 pods through projection, freezing, one index and one handler, per second. */
async function eventsPerSecond(events: number): Promise<number> {
  const changes = Array.from({ length: events }, (_, n) => pod(n % 10_000, n + 1));
  const stop = new AbortController();
  let received = 0;
  const informer = createInformer<Pod>({
    name: 'pods',
    source: {
      list: async () => ({ items: [], revision: '0' }),
      async *watch(): AsyncGenerator<SourceEvent<Pod>> {
        for (const object of changes) yield { type: 'modified', object };
        await new Promise<void>((resolve) => stop.signal.addEventListener('abort', () => resolve()));
      },
    },
    clock: { nowMs: () => Date.now(), sleep: () => new Promise(() => {}) },
    random: Math.random,
    backoff: () => 100,
    indexers: { node: ({ spec }) => [spec.nodeName] },
  });
  informer.addHandler({ add: () => void (received += 1), update: () => void (received += 1) });
  const startMs = performance.now();
  const ended = informer.run(stop.signal);
  await informer.waitFor(String(events), stop.signal);
  const elapsedMs = performance.now() - startMs;
  stop.abort();
  await ended;
  if (received !== events) throw new Error(`${received} of ${events} events were told`);
  return Math.round((events * 1_000) / elapsedMs);
}

/** Throughput of the work queue and of caches on one thread. */
export async function run(options: { smoke: boolean }): Promise<BenchmarkRow[]> {
  const rounds = options.smoke ? 5 : 100;
  const events = options.smoke ? 20_000 : 200_000;
  const tenantOf = (key: string): string => key.slice(0, key.indexOf('/'));
  let received = 0;
  const observer = { latencyMs: (ms: number) => void (received += ms), depth: (items: number) => void (received += items) };
  return [
    { name: 'queue: add+get+done, 10,000 keys', value: await best(rounds, {}), unit: '1/s', target: '≥ 1,000,000' },
    {
      name: 'queue: the same, 100 tenants, with metrics',
      value: await best(rounds, { tenantOf, observer }),
      unit: '1/s',
      target: '≥ 1,000,000',
    },
    { name: 'informer: events of 10,000 pods, one index', value: await eventsPerSecond(events), unit: '1/s', target: '≥ 50,000' },
  ];
}

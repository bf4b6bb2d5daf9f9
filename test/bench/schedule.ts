import type { Node, Pod } from '@tappaas/sdk';
import { createScheduler, type Scheduler } from '../../core/dist/schedule/scheduler.js';
import type { BenchmarkRow } from './row.ts';
import { schedulingTaps } from './scheduling-plugins.ts';

const zones = 5;

function makeNode(index: number): Node {
  const name = `node-${String(index).padStart(5, '0')}`;
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name, labels: { 'kubernetes.io/hostname': name, zone: `zone-${index % zones}`, 'price/cents': String(10 + (index % 7)) } },
    status: { allocatable: { cpu: '32', memory: '128Gi', pods: '110', 'ephemeral-storage': '500Gi' } },
  };
}

/** A pod as a Deployment makes it, with the token volume whose name differs from pod to pod. */
function makePod(index: number, applications: number): Pod {
  const application = index % applications;
  const token = `kube-api-access-${index.toString(36)}`;
  const resources = { requests: { cpu: `${100 + 10 * (application % 20)}m`, memory: `${128 + 16 * (application % 9)}Mi` } };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: `app-${application}-${index}`,
      namespace: `team-${application % 10}`,
      uid: `uid-${index}`,
      labels: { app: `app-${application}` },
    },
    spec: {
      schedulerName: 'tappaas',
      priority: 0,
      containers: [
        {
          name: 'web',
          image: 'registry.example/app:1',
          ports: [{ containerPort: 8080 }],
          env: [{ name: 'LOG_LEVEL', value: 'info' }],
          resources,
          volumeMounts: [{ name: token, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }],
        },
      ],
      tolerations: [{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 }],
      volumes: [{ name: token, projected: { sources: [] } }],
    },
  };
}

const clock = {
  nowMs: () => Date.now(),
  sleep: (ms: number, signal: AbortSignal) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(resolve, ms);
      signal.addEventListener('abort', () => {
        clearTimeout(timer);
        reject(signal.reason as Error);
      });
    }),
};

interface Load {
  readonly nodes: number;
  readonly pods: number;
  /** Pods of one application are alike. */
  readonly applications: number;
  /** Each binding comes back as a change of the pod, as from a watch. */
  readonly echo?: boolean;
}

/** Pods taken in, placed and handed to a binder that does nothing, per second of the one thread's time: neighbours do not count. */
async function podsPerSecond({ nodes, pods, applications, echo = false }: Load): Promise<number> {
  let bound = 0;
  const scheduler: Scheduler = createScheduler({
    clock,
    random: Math.random,
    taps: await schedulingTaps(),
    limits: { pendingPodsMax: pods },
    bind: async (pod, nodeName) => {
      bound++;
      if (echo) scheduler.podChanged({ ...pod, spec: { containers: [], ...pod.spec, nodeName } });
      return 'bound';
    },
  });
  for (let index = 0; index < nodes; index++) scheduler.nodeChanged(makeNode(index));
  const waiting = Array.from({ length: pods }, (_, index) => makePod(index, applications));
  scheduler.start();
  await scheduler.idle();
  const before = process.threadCpuUsage();
  for (const pod of waiting) scheduler.podAdded(pod);
  await scheduler.idle();
  const { user, system } = process.threadCpuUsage(before);
  await scheduler.stop();
  if (bound !== pods) throw new Error(`expected ${pods} pods bound, found ${bound}`);
  return Math.round((pods * 1_000_000) / (user + system));
}

async function row(name: string, load: Load, attempts: number, target?: string): Promise<BenchmarkRow> {
  let value = 0;
  for (let attempt = 0; attempt < attempts; attempt++) value = Math.max(value, await podsPerSecond(load));
  return { name: `schedule: ${name}, ${load.nodes} nodes`, value, unit: 'pods/CPU-s', ...(target && { target }) };
}

/**
 * Decisions of the scheduler with the resources plugin and a third party's cost plugin, on one thread, binding to nothing: they say
 * nothing of what an API server can take.
 */
export async function run({ smoke }: { smoke: boolean }): Promise<BenchmarkRow[]> {
  const rows: BenchmarkRow[] = [];
  const attempts = smoke ? 1 : 3;
  for (const nodes of smoke ? [100] : [100, 1000, 5000]) {
    const pods = smoke ? 2000 : Math.min(nodes * 40, 50_000);
    const target = nodes === 5000 ? '≥ 50,000' : undefined;
    rows.push(await row('decisions, pods of 1 application', { nodes, pods, applications: 1 }, attempts, target));
    rows.push(await row('decisions, pods of 50 applications', { nodes, pods, applications: 50 }, attempts, target));
    rows.push(await row('the same, bindings coming back by watch', { nodes, pods, applications: 50, echo: true }, attempts));
    const few = Math.min(pods, 2000);
    rows.push(await row('decisions, no two pods alike', { nodes, pods: few, applications: few }, attempts));
  }
  return rows;
}

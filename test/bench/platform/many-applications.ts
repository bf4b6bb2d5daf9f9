import { platformHome, type PlatformProcess } from '../../platform-process.ts';
import type { BenchmarkRow } from '../row.ts';
import { Client, writersMax } from './client.ts';
import { childOf, cpuPercent, figuresOf, pause, timed, type ProcessFigures } from './process-figures.ts';

const applicationsPath = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';

export interface ManyOptions {
  /** Numbers of applications at which is measured, rising. */
  readonly counts: readonly number[];
  readonly reads: number;
  /** Deploying may take this long in all; then what is ready by then is measured. */
  readonly deployMsMax: number;
  /** The longest wait for a platform that does nothing more; on a slow machine it may never look so. */
  readonly settleMsMax: number;
}

interface Application {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const application = (index: number) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Application',
  metadata: {
    name: `app-${String(index).padStart(5, '0')}`,
    labels: { group: `g-${index % 200}`, tier: index % 2 === 0 ? 'front' : 'back' },
  },
  spec: {
    source: { image: 'process' },
    processes: [{ name: 'web', replicas: 0, ports: [{ name: 'http', port: 8080 }], env: [{ name: 'MODE', value: 'bench' }] }],
    routes: [{ name: 'public', process: 'web', port: 'http' }],
  },
});

/** What a step from one number of applications to the next came to. */
interface Reached {
  readonly count: number;
  readonly deployCpuMs: number;
  readonly list: Reading;
  readonly label: Reading;
}

interface Reading {
  readonly p99: number;
  /** Of the platform's CPU, for one request. */
  readonly cpuMs: number;
}

/** Deploys more and more applications on one platform, reads them, and starts it anew with all of them. */
export async function manyApplications(options: ManyOptions): Promise<readonly BenchmarkRow[]> {
  const home = await platformHome();
  const rows: BenchmarkRow[] = [];
  let platform = await home.start();
  let client = await Client.of(home);
  const endMs = performance.now() + options.deployMsMax;
  const steps: Reached[] = [];
  for (const count of options.counts) {
    const made = steps.at(-1)?.count ?? 0;
    if (performance.now() > endMs) break;
    const { step, rows: more } = await deployAndRead(client, platform, { ...options, made, count, endMs });
    steps.push(step);
    rows.push(...more);
  }
  rows.push(...growth(steps));
  const count = steps.at(-1)?.count ?? 0;
  rows.push(...(await settledFigures(platform, `with ${count} applications, settled`)));
  client.close();
  await platform.stop();
  const restart = await timed(() => home.start());
  platform = restart.value;
  const { cpuMs } = await figuresOf(platform.child.pid);
  client = await Client.of(home);
  rows.push({ name: `start to ready with ${count} applications`, value: restart.seconds, unit: 's', target: '< 10 s' });
  rows.push({ name: 'the same, CPU of the platform', value: cpuMs / 1000, unit: 's' });
  const before = await versions(client);
  await untilSettled(platform, options.settleMsMax);
  const after = await versions(client);
  rows.push({
    name: `applications written after a restart with nothing changed, ${count} applications`,
    value: [...after].filter(([name, version]) => before.get(name) !== version).length,
    unit: 'applications',
    target: '0',
  });
  rows.push(...(await settledFigures(platform, `after the restart, ${count} applications`)));
  client.close();
  await platform.stop();
  await home.remove();
  return rows;
}

async function deployAndRead(
  client: Client,
  platform: PlatformProcess,
  { made, count, reads, endMs, settleMsMax }: ManyOptions & { readonly made: number; readonly count: number; readonly endMs: number },
): Promise<{ readonly step: Reached; readonly rows: readonly BenchmarkRow[] }> {
  const { pid } = platform.child;
  const before = await figuresOf(pid);
  const deploy = await timed(async () => {
    await inParallel(made, count, async (index) => {
      const { status, text } = await client.send('POST', applicationsPath, application(index));
      if (status !== 201) throw new Error(`create answered ${status}: ${text}`);
    });
    return untilReady(client, count, endMs);
  });
  const isWhole = deploy.value >= count;
  const deployCpuMs = ((await untilSettled(platform, settleMsMax)).cpuMs - before.cpuMs) / (count - made);
  const list = await reading(pid, reads, () => client.send('GET', `${applicationsPath}?limit=100`));
  const selector = encodeURIComponent('group=g-7');
  const label = await reading(pid, reads, () => client.send('GET', `${applicationsPath}?labelSelector=${selector}&limit=100`));
  const done = isWhole ? '' : ` (${deploy.value} were ready in time)`;
  const rows = [
    { name: `create to ready, to ${count} applications${done}`, value: (deploy.value - made) / deploy.seconds, unit: '1/s' },
    { name: `CPU for one application from create to quiet, to ${count}`, value: deployCpuMs, unit: 'ms' },
    { name: `list, first page of 100, at ${count}: p99`, value: list.p99, unit: 'ms', target: '≤ 10 ms' },
    { name: `the same, CPU of the platform, at ${count}`, value: list.cpuMs, unit: 'ms' },
    { name: `label query, at ${count}: p99`, value: label.p99, unit: 'ms', target: '≤ 10 ms' },
    { name: `the same, CPU of the platform, at ${count}`, value: label.cpuMs, unit: 'ms' },
  ];
  return { step: { count, deployCpuMs, list, label }, rows };
}

/** How costs grow with the number of applications. A label query finds more of them, too, so it is compared by what it finds. */
function growth(steps: readonly Reached[]): readonly BenchmarkRow[] {
  const [first, last] = [steps[0], steps.at(-1)];
  if (first === undefined || last === undefined || first === last) return [];
  const between = `${last.count} to ${first.count} applications`;
  return [
    { name: `CPU of a list's first page, ${between}`, value: last.list.cpuMs / first.list.cpuMs, unit: '×', target: '≤ 1.5×' },
    { name: `CPU of deploying one, ${between}`, value: last.deployCpuMs / first.deployCpuMs, unit: '×', target: '≤ 1.5×' },
  ];
}

async function settledFigures({ child }: PlatformProcess, when: string): Promise<readonly BenchmarkRow[]> {
  const idle = await cpuPercent(child.pid, idleMs);
  const { rssMib, peakMib } = await figuresOf(child.pid);
  const agent = await figuresOf(await childOf(child.pid));
  return [
    { name: `memory ${when}`, value: rssMib, unit: 'MiB', target: '≤ 1,024 MiB' },
    { name: `the most it had until then`, value: peakMib, unit: 'MiB' },
    { name: `memory of the node agent ${when}`, value: agent.rssMib, unit: 'MiB' },
    { name: `idle CPU ${when}`, value: idle, unit: '% of a core', target: '< 5 %' },
  ];
}

async function inParallel(from: number, to: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: writersMax }, async () => {
      while (next < to) await work(next++);
    }),
  );
}

/** Asked in turns: what else the machine does makes answers later, never sooner, so the best turn counts. */
async function reading(pid: number | undefined, times: number, ask: () => Promise<unknown>): Promise<Reading> {
  let p99 = Infinity;
  const before = await figuresOf(pid);
  for (let turn = 0; turn < turns; turn += 1) {
    const took: number[] = [];
    for (let i = 0; i < times; i += 1) took.push((await timed(ask)).seconds * 1000);
    took.sort((a, b) => a - b);
    p99 = Math.min(p99, took[Math.min(took.length - 1, Math.floor(took.length * 0.99))] ?? 0);
  }
  return { p99, cpuMs: ((await figuresOf(pid)).cpuMs - before.cpuMs) / (times * turns) };
}

const isReady = ({ status }: Application) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') === true;

/** How many are ready, once all are or the time is over. */
async function untilReady(client: Client, count: number, endMs: number): Promise<number> {
  for (;;) {
    const ready = (await all(client)).filter(isReady).length;
    if (ready >= count || performance.now() > endMs) return ready;
    // A list of everything costs the platform what is to be measured: the more there is, the less often it is asked.
    await pause(Math.max(250, count));
  }
}

const turns = 3;
const idleMs = 30_000;
const quietPercent = 5;
/** What a change brings about goes on for a while after it shows, and then its garbage is collected, once. */
const quietSecondsMin = 10;

/** Waits until nothing has gone on for a while; answers the figures of when that began. */
async function untilSettled({ child }: PlatformProcess, settleMsMax: number): Promise<ProcessFigures> {
  const endMs = performance.now() + settleMsMax;
  let began = await figuresOf(child.pid);
  for (let quietSeconds = 0; quietSeconds < quietSecondsMin && performance.now() < endMs;) {
    const isQuiet = (await cpuPercent(child.pid, 1_000)) <= quietPercent;
    quietSeconds = isQuiet ? quietSeconds + 1 : 0;
    if (!isQuiet) began = await figuresOf(child.pid);
  }
  return began;
}

async function all(client: Client): Promise<readonly Application[]> {
  return (JSON.parse((await client.send('GET', applicationsPath)).text) as { items: readonly Application[] }).items;
}

async function versions(client: Client): Promise<ReadonlyMap<string, string>> {
  return new Map((await all(client)).map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
}

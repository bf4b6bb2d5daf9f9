/** The whole platform: start to ready, source to URL, reads at 100 to 10,000 applications, restart and memory with all of them. */
import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parse } from 'yaml';
import { platformHome, root, type PlatformHome, type PlatformProcess } from '../platform-process.ts';
import type { BenchmarkRow } from './row.ts';

const applicationsPath = '/apis/apps.tappaas.dev/v1alpha1/namespaces/default/applications';
const writersMax = 32;

/** Asks over one kept connection: what is measured is the server. */
class Client {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: writersMax });
  readonly #base: { readonly server: string; readonly token: string; readonly ca: Buffer };

  private constructor(base: Client['#base']) {
    this.#base = base;
  }

  static async of({ directory }: PlatformHome): Promise<Client> {
    const config = parse(await readFile(join(directory, 'data/kubeconfig'), 'utf8')) as {
      clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
      users: { user: { token: string } }[];
    };
    const cluster = config.clusters[0]?.cluster;
    return new Client({
      server: cluster?.server ?? '',
      token: config.users[0]?.user.token ?? '',
      ca: Buffer.from(cluster?.['certificate-authority-data'] ?? '', 'base64'),
    });
  }

  send(method: string, path: string, body?: object): Promise<{ status: number; text: string }> {
    const { server, token, ca } = this.#base;
    const text = body === undefined ? undefined : JSON.stringify(body);
    return new Promise((done, fail) => {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(text ? { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) } : {}),
      };
      const outgoing = request(new URL(path, server), { method, ca, agent: this.#agent, headers }, (answer) => {
        let received = '';
        answer.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
        answer.on('end', () => done({ status: answer.statusCode ?? 0, text: received }));
      });
      outgoing.on('error', fail);
      outgoing.end(text);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
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

async function inParallel(from: number, to: number, work: (index: number) => Promise<void>): Promise<void> {
  let next = from;
  await Promise.all(
    Array.from({ length: writersMax }, async () => {
      while (next < to) await work(next++);
    }),
  );
}

async function p99(times: number, ask: () => Promise<unknown>): Promise<{ readonly p50: number; readonly p99: number }> {
  const took: number[] = [];
  for (let i = 0; i < times; i += 1) {
    const begun = performance.now();
    await ask();
    took.push(performance.now() - begun);
  }
  took.sort((a, b) => a - b);
  const at = (share: number) => took[Math.min(took.length - 1, Math.floor(took.length * share))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

async function rssMib({ child }: PlatformProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '');
  return Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024;
}

async function timed<T>(work: () => Promise<T>): Promise<{ readonly value: T; readonly seconds: number }> {
  const begun = performance.now();
  const value = await work();
  return { value, seconds: (performance.now() - begun) / 1000 };
}

async function untilReady(client: Client, count: number): Promise<void> {
  for (let ready = 0; ready < count;) {
    const { text } = await client.send('GET', applicationsPath);
    const { items } = JSON.parse(text) as { items: { status?: { conditions?: { type: string; status: string }[] } }[] };
    ready = items.filter(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True')).length;
    // A list of everything costs the platform what is to be measured: the more there is, the less often it is asked.
    if (ready < count) await new Promise((again) => setTimeout(again, Math.max(250, count * 2)));
  }
}

function answers(home: PlatformHome, host: string): Promise<boolean> {
  return new Promise((done) => {
    get({ host: '127.0.0.1', port: home.httpPort, headers: { host }, agent: false }, (answer) => {
      answer.resume();
      done(answer.statusCode === 200);
    }).on('error', () => done(false));
  });
}

async function sourceToUrl(): Promise<readonly BenchmarkRow[]> {
  const home = await platformHome();
  const start = await timed(() => home.start());
  const fresh = await timed(() => home.tappaas('deploy', join(root, 'examples/hello')));
  const isAnswering = await answers(home, 'hello.default.localhost');
  const repeat = await timed(() => home.tappaas('deploy', join(root, 'examples/hello'), '--name', 'again'));
  await start.value.stop();
  await home.remove();
  return [
    { name: 'start to ready, first start, empty', value: start.seconds, unit: 's', target: '< 1 s' },
    {
      name: `source to URL, examples/hello, fresh (${isAnswering ? 'answers' : 'does not answer'})`,
      value: fresh.seconds,
      unit: 's',
      target: '< 5 s',
    },
    { name: 'source to URL, repeat', value: repeat.seconds, unit: 's', target: '< 2 s' },
  ];
}

async function manyApplications(counts: readonly number[], reads: number): Promise<readonly BenchmarkRow[]> {
  const home = await platformHome();
  const rows: BenchmarkRow[] = [];
  let platform = await home.start();
  let client = await Client.of(home);
  let made = 0;
  const medians: number[] = [];
  for (const count of counts) {
    const deploy = await timed(async () => {
      await inParallel(made, count, async (index) => {
        const { status, text } = await client.send('POST', applicationsPath, application(index));
        if (status !== 201) throw new Error(`create answered ${status}: ${text}`);
      });
      await untilReady(client, count);
    });
    rows.push({ name: `create to ready, to ${count} applications`, value: (count - made) / deploy.seconds, unit: '1/s' });
    made = count;
    const page = await p99(reads, () => client.send('GET', `${applicationsPath}?limit=100`));
    const label = await p99(reads, () =>
      client.send('GET', `${applicationsPath}?labelSelector=${encodeURIComponent('group=g-7')}&limit=100`),
    );
    medians.push(page.p50);
    rows.push(
      { name: `list, first page of 100, at ${count}: p99`, value: page.p99, unit: 'ms', target: '≤ 10 ms' },
      { name: `label query, at ${count}: p99`, value: label.p99, unit: 'ms', target: '≤ 10 ms' },
    );
  }
  rows.push({
    name: `list cost, ${counts.at(-1)} to ${counts[0]} applications`,
    value: (medians.at(-1) ?? 0) / (medians[0] ?? 1),
    unit: '×',
    target: '≤ 1.5×',
  });
  rows.push({ name: `memory with ${made} applications, settled`, value: await rssMib(platform), unit: 'MiB', target: '≤ 1,024 MiB' });
  client.close();
  await platform.stop();
  const restart = await timed(() => home.start());
  platform = restart.value;
  client = await Client.of(home);
  rows.push({ name: `start to ready with ${made} applications`, value: restart.seconds, unit: 's', target: '< 10 s' });
  const writes = await idleWrites(client);
  rows.push({
    name: `writes in 10 s after a restart with nothing changed, ${made} applications`,
    value: writes,
    unit: 'writes',
    target: '0 of applications',
  });
  rows.push({ name: `memory after the restart, ${made} applications`, value: await rssMib(platform), unit: 'MiB', target: '≤ 1,024 MiB' });
  client.close();
  await platform.stop();
  await home.remove();
  return rows;
}

/** How many applications are written while nothing happens. */
async function idleWrites(client: Client): Promise<number> {
  const versions = async () => {
    const { items } = JSON.parse((await client.send('GET', applicationsPath)).text) as {
      items: { metadata: { name: string; resourceVersion: string } }[];
    };
    return new Map(items.map(({ metadata }) => [metadata.name, metadata.resourceVersion]));
  };
  const before = await versions();
  await new Promise((later) => setTimeout(later, 10_000));
  const after = await versions();
  return [...after].filter(([name, version]) => before.get(name) !== version).length;
}

export async function run({ smoke }: { readonly smoke: boolean }): Promise<readonly BenchmarkRow[]> {
  const most = Number(process.env['TAPPAAS_BENCH_APPLICATIONS'] ?? 10_000);
  const counts = smoke ? [5, 20] : [100, 1_000, 10_000].filter((count) => count <= most);
  return [...(await sourceToUrl()), ...(await manyApplications(counts, smoke ? 20 : 300))];
}

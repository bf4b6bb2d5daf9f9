/**
 * GraphQL beside a default Apollo Server with the same schema and the same data, which looks neither at who asks nor at what they may.
 * Every server has a process of its own; what is compared is the requests it answers per second of processor time.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { Socket } from 'node:net';
import { load, openSocket, requestText } from './api/load.ts';
import type { BenchmarkRow } from './row.ts';

const connections = 16;
const peers = ['TAPPaaS', 'Apollo Server 5'] as const;

interface Running {
  readonly name: string;
  readonly child: ChildProcess;
  readonly sockets: readonly Socket[];
  readonly cpuUs: () => Promise<number>;
}

interface Workload {
  readonly name: string;
  readonly query: string;
  readonly share: number;
}

const fields =
  'id name namespace metadata { uid generation creationTimestamp resourceVersion } spec { runtime processes { name replicas } }';
const workloads: readonly Workload[] = [
  { name: 'one object, 10 fields', query: `query One { application(namespace: "team", name: "app-7") { ${fields} } }`, share: 1 },
  { name: 'list of 100 objects', query: `query Many { applications(namespace: "team", first: 100) { nodes { ${fields} } } }`, share: 0.1 },
];

function received<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the server ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as T);
    });
  });
}

async function start(name: string): Promise<Running> {
  const child = fork(join(import.meta.dirname, 'graphql/process.ts'), [name]);
  const { port } = await received<{ port: number }>(child);
  const sockets = await Promise.all(Array.from({ length: connections }, () => openSocket({ port, token: 'admin' })));
  const cpuUs = async (): Promise<number> => {
    child.send('usage');
    return (await received<{ cpuUs: number }>(child)).cpuUs;
  };
  return { name, child, sockets, cpuUs };
}

async function rate({ sockets, cpuUs }: Running, query: string, count: number): Promise<number> {
  const request = requestText('POST', '/graphql', 'admin', JSON.stringify({ query }));
  const before = await cpuUs();
  await load(sockets, count, 200, () => request);
  return count / (((await cpuUs()) - before) / 1e6);
}

export async function run({ smoke }: { readonly smoke: boolean }): Promise<BenchmarkRow[]> {
  const servers = await Promise.all(peers.map(start));
  try {
    const rows: BenchmarkRow[] = [];
    for (const { name, query, share } of workloads) {
      const count = Math.round((smoke ? 100 : 6_000) * share);
      const best = servers.map(() => 0);
      // Servers take turns; the first turn warms up.
      for (let turn = 0; turn < (smoke ? 1 : 4); turn += 1) {
        for (const [index, server] of servers.entries()) {
          const measured = await rate(server, query, count);
          if (smoke || turn > 0) best[index] = Math.max(best[index] ?? 0, measured);
        }
      }
      const [own = 0, other = 0] = best;
      rows.push({ name, value: own, unit: 'requests/CPU s', peer: 'default Apollo Server 5', ratio: own / other, target: '≥ 2×' });
    }
    return rows;
  } finally {
    for (const { child, sockets } of servers) {
      for (const socket of sockets) socket.destroy();
      child.kill();
    }
  }
}

/**
 * The API beside bare node:http and Express 5 that send the same bytes without looking at who asks. Every server has a process of its
 * own; what is compared is the requests it answers per second of processor time, which does not depend on how fast the client is.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localCertificates } from '../../core/dist/api/certificates.js';
import { exchange, load, openSocket, openWatch, requestText, type Place } from './api/load.ts';
import { isolation } from './api/isolation.ts';
import { stageCosts } from './api/stage-costs.ts';
import type { FixedAnswers, PeerName, Tls } from './api/peer-server.ts';
import type { ServerWish } from './api/process.ts';
import type { BenchmarkRow } from './row.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const peers: readonly PeerName[] = ['Express 5', 'node:http'];
const objects = 100;
const connections = 16;

interface Security {
  readonly tls: Tls;
  readonly authority: string;
}

interface Running extends Place {
  readonly name: string;
  readonly child: ChildProcess;
  cpuUs(): Promise<number>;
}

function told<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null): void => reject(new Error(`the server ended with ${code}`));
    child.once('exit', ended);
    child.once('message', (message) => {
      child.off('exit', ended);
      resolve(message as T);
    });
  });
}

async function start(wish: ServerWish, security: Security | undefined): Promise<Running> {
  const child = fork(join(import.meta.dirname, 'api/process.ts'), { serialization: 'advanced' });
  child.send(wish);
  const { port, token } = await told<{ port: number; token: string }>(child);
  const cpuUs = async (): Promise<number> => {
    child.send('usage');
    return (await told<{ cpuUs: number }>(child)).cpuUs;
  };
  return { name: wish.be, child, port, token, cpuUs, ...(security !== undefined && { authority: security.authority }) };
}

const configMap = (name: string): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace: 'default', labels: { app: 'bench' } },
    data: { text: 'x'.repeat(600) },
  });
const merge = (index: number): string => JSON.stringify({ data: { count: String(index) } });

interface Workload {
  readonly name: 'get' | 'list' | 'create' | 'patch';
  readonly title: string;
  readonly status: number;
  readonly share: number;
  /** More of them find more quiet moments of the machine. */
  readonly turns: number;
  readonly isRead: boolean;
  readonly request: (token: string, index: number, lane: number) => Buffer;
}

const workloads: readonly Workload[] = [
  {
    name: 'get',
    title: 'GET one object',
    status: 200,
    share: 1,
    turns: 12,
    isRead: true,
    request: (token, index) => requestText('GET', `${collection}/c${index % objects}`, token),
  },
  {
    name: 'list',
    title: `list ${objects} objects`,
    status: 200,
    share: 0.25,
    turns: 12,
    isRead: true,
    request: (token) => requestText('GET', collection, token),
  },
  {
    name: 'patch',
    title: 'merge patch',
    status: 200,
    share: 0.25,
    turns: 4,
    isRead: false,
    request: (token, index, lane) => requestText('PATCH', `${collection}/c${lane}`, token, merge(index), 'application/merge-patch+json'),
  },
  {
    name: 'create',
    title: 'create',
    status: 201,
    share: 0.25,
    turns: 4,
    isRead: false,
    request: (token, index) => requestText('POST', collection, token, configMap(`n${index}`)),
  },
];

/** What the API answers each workload with, so that the peers can send the same. */
async function record(server: Running): Promise<FixedAnswers> {
  const socket = await openSocket(server);
  for (let index = 0; index < objects; index += 1)
    await exchange(socket, requestText('POST', collection, server.token, configMap(`c${index}`)));
  const answers: Partial<Record<Workload['name'], { status: number; body: Buffer }>> = {};
  for (const { name, request } of workloads) answers[name] = await exchange(socket, request(server.token, 1_000_000, 0));
  socket.destroy();
  return answers as FixedAnswers;
}

/** Requests per second of the server's processor time. */
async function rate(server: Running, sockets: readonly Socket[], workload: Workload, count: number, from: number): Promise<number> {
  const before = await server.cpuUs();
  await load(sockets, count, workload.status, (index, lane) => workload.request(server.token, from + index, lane));
  return count / (((await server.cpuUs()) - before) / 1e6);
}

/** Servers take turns within each workload, so that what else the machine does meets all of them alike; the best of their turns counts. */
async function compare(servers: readonly Running[], scheme: string, smoke: boolean, chosen = workloads): Promise<BenchmarkRow[]> {
  const lanes = await Promise.all(servers.map((server) => Promise.all(Array.from({ length: connections }, () => openSocket(server)))));
  const rows: BenchmarkRow[] = [];
  let from = 0;
  for (const workload of chosen) {
    const count = Math.round((smoke ? 200 : 6_000) * workload.share);
    const best = servers.map(() => 0);
    for (let turn = 0; turn < (smoke ? 1 : workload.turns); turn += 1) {
      for (const [index, server] of servers.entries()) {
        const measured = await rate(server, lanes[index] ?? [], workload, count, from);
        // The first turn warms up.
        if (smoke || turn > 0) best[index] = Math.max(best[index] ?? 0, measured);
      }
      from += count;
    }
    const [own = 0, ...others] = best;
    for (const [index, other] of others.entries()) {
      const peer = `${servers[index + 1]?.name ?? ''}, same bytes`;
      rows.push({
        name: `${workload.title} over ${scheme}`,
        value: own,
        unit: 'requests/CPU s',
        peer,
        ratio: own / other,
        ...(workload.isRead && peer === 'Express 5, same bytes' && { target: '≥ 1×' }),
      });
    }
  }
  for (const socket of lanes.flat()) socket.destroy();
  return rows;
}

/** Processor time of the server for one event that one watcher is told. */
async function watchCost(server: Running, watchers: number, events: number): Promise<number> {
  const place: Place = server;
  const watches = await Promise.all(
    Array.from({ length: watchers }, () => openWatch(place, `${collection}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dc0`)),
  );
  const socket = await openSocket(server);
  const toldOf = (): number => watches.reduce((sum, watch) => sum + watch.lines(), 0);
  const settled = async (wanted: number): Promise<void> => {
    while (toldOf() < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await exchange(socket, requestText('PATCH', `${collection}/c0`, server.token, merge(-1), 'application/merge-patch+json'));
  await settled(watchers);
  await new Promise((resolve) => setTimeout(resolve, 200));
  const [before, base] = [await server.cpuUs(), toldOf()];
  for (let index = 0; index < events; index += 1) {
    await exchange(socket, requestText('PATCH', `${collection}/c0`, server.token, merge(index), 'application/merge-patch+json'));
    await settled(base + watchers * (index + 1));
  }
  const spent = (await server.cpuUs()) - before;
  for (const watch of watches) watch.close();
  socket.destroy();
  return spent / (watchers * events);
}

async function frameOf(server: Running): Promise<Buffer> {
  const socket = await openSocket(server);
  const { body } = await exchange(socket, requestText('GET', `${collection}/c0`, server.token));
  socket.destroy();
  return Buffer.concat([Buffer.from('{"type":"MODIFIED","object":'), body, Buffer.from('}\n')]);
}

async function scheme(security: Security | undefined, smoke: boolean): Promise<BenchmarkRow[]> {
  const tls = security === undefined ? {} : { tls: security.tls };
  const own = await start({ be: 'TAPPaaS', ...tls }, security);
  const answers = await record(own);
  const frame = await frameOf(own);
  const others = await Promise.all(peers.map((be) => start({ be, ...tls, answers, frame }, security)));
  const servers = [own, ...others];
  try {
    const name = security === undefined ? 'HTTP' : 'HTTPS';
    const rows = await compare(servers, name, smoke);
    const [watchers, events] = smoke ? [20, 5] : [1000, 50];
    const bare = others.find((server) => server.name === 'node:http');
    const value = await watchCost(own, watchers, events);
    const other = bare === undefined ? value : await watchCost(bare, watchers, events);
    rows.push({
      name: `an event told to one of ${watchers} watchers over ${name}`,
      value,
      unit: 'µs of CPU',
      peer: 'node:http, same bytes',
      ratio: value / other,
      target: '≤ 20',
    });
    return rows;
  } finally {
    for (const { child } of servers) child.kill();
  }
}

/** The same read with every request recorded: its line made, chained, and on the disk. */
async function audited(smoke: boolean): Promise<BenchmarkRow[]> {
  const own = await start({ be: 'TAPPaaS', audit: 'file' }, undefined);
  const answers = await record(own);
  const others = await Promise.all(peers.map((be) => start({ be, answers, frame: Buffer.alloc(0) }, undefined)));
  const servers = [own, ...others];
  try {
    return await compare(servers, 'HTTP, audit into a file', smoke, workloads.slice(0, 1));
  } finally {
    for (const { child } of servers) child.kill();
  }
}

async function beside(smoke: boolean): Promise<BenchmarkRow> {
  const own = await start({ be: 'TAPPaaS', limits: 'usual' }, undefined);
  try {
    await record(own);
    const { alone, beside: value } = await isolation(own, smoke ? 20 : 400, smoke ? 1 : 5);
    const peer = `alone: ${alone.toFixed(2)} ms`;
    return {
      name: 'p99 of a tenant beside one that asks on 50 connections',
      value,
      unit: 'ms',
      peer,
      ratio: value / alone,
      target: '≤ 2×',
    };
  } finally {
    own.child.kill();
  }
}

export async function run({ smoke }: { readonly smoke: boolean }): Promise<BenchmarkRow[]> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-bench-'));
  try {
    const { authority, tls } = await localCertificates({ directory, hosts: [], clock: { nowMs: () => Date.now() } });
    const open = await scheme(undefined, smoke);
    const secure = await scheme({ tls, authority }, smoke);
    return [...open, ...secure, ...(await audited(smoke)), await beside(smoke), ...(await stageCosts(smoke))];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/**
 * The API beside bare node:http and Express 5 that send the same bytes without looking at who asks. Every server has a process of its
 * own; what is compared is the requests it answers per second of processor time, which does not depend on how fast the client is.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { localCertificates } from '../../core/dist/api/certificates/certificates.js';
import { exchange, load, openSocket, openWatch, requestText, type Place } from './api/load.ts';
import { isolation } from './api/isolation.ts';
import { stageCosts } from './api/stage-costs.ts';
import type { FixedAnswers, PeerName } from './api/peer-server.ts';
import { startServer, type Running, type Security } from './api/server-process.ts';
import type { BenchmarkRow } from './row.ts';

const collection = '/api/v1/namespaces/default/configmaps';
const peers: readonly PeerName[] = ['Express 5', 'node:http'];
const objects = 100;
const connections = 16;

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
interface Rate {
  readonly whole: number;
  readonly main: number;
}

const noRate: Rate = { whole: 0, main: 0 };

async function rate(server: Running, sockets: readonly Socket[], workload: Workload, count: number, from: number): Promise<Rate> {
  const before = await server.usage();
  await load(sockets, count, workload.status, (index, lane) => workload.request(server.token, from + index, lane));
  const after = await server.usage();
  return { whole: (count * 1e6) / (after.wholeUs - before.wholeUs), main: (count * 1e6) / (after.mainUs - before.mainUs) };
}

interface Comparison {
  /** Said of every row. */
  readonly what: string;
  readonly smoke: boolean;
  readonly chosen?: readonly Workload[];
  /** Rows for the thread that requests are served in, too. */
  readonly threads?: boolean;
}

/** Servers take turns within each workload, so that what else the machine does meets all of them alike; the best of their turns counts. */
async function compare(servers: readonly Running[], { what, smoke, chosen = workloads, threads }: Comparison): Promise<BenchmarkRow[]> {
  const lanes = await Promise.all(servers.map((server) => Promise.all(Array.from({ length: connections }, () => openSocket(server)))));
  const rows: BenchmarkRow[] = [];
  let from = 0;
  for (const workload of chosen) {
    const count = Math.round((smoke ? 200 : 6_000) * workload.share);
    const best = servers.map(() => noRate);
    for (let turn = 0; turn < (smoke ? 1 : workload.turns); turn += 1) {
      for (const [index, server] of servers.entries()) {
        const measured = await rate(server, lanes[index] ?? [], workload, count, from);
        const { whole, main } = best[index] ?? noRate;
        // The first turn warms up.
        if (smoke || turn > 0) best[index] = { whole: Math.max(whole, measured.whole), main: Math.max(main, measured.main) };
      }
      from += count;
    }
    const [own = noRate, ...others] = best;
    for (const [index, other] of others.entries()) {
      const peer = `${servers[index + 1]?.name ?? ''}, same bytes`;
      const target = workload.isRead && peer === 'Express 5, same bytes' ? { target: '≥ 1×' } : {};
      const name = `${workload.title} over ${what}`;
      const unit = 'requests/CPU s';
      rows.push({ name, value: own.whole, unit, peer, ratio: own.whole / other.whole, ...target });
      if (threads) rows.push({ name: `${name}, main thread`, value: own.main, unit, peer, ratio: own.main / other.main, ...target });
    }
  }
  for (const socket of lanes.flat()) socket.destroy();
  return rows;
}

/** Processor time of the server for one event that one watcher is told; the best of some turns. */
async function watchCost(server: Running, watchers: number, events: number, turns: number): Promise<number> {
  const place: Place = server;
  const watches = await Promise.all(
    Array.from({ length: watchers }, () => openWatch(place, `${collection}?watch=true&resourceVersion=0&fieldSelector=metadata.name%3Dc0`)),
  );
  const socket = await openSocket(server);
  const deliveredLines = (): number => watches.reduce((sum, watch) => sum + watch.lines(), 0);
  const settled = async (wanted: number): Promise<void> => {
    while (deliveredLines() < wanted) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await exchange(socket, requestText('PATCH', `${collection}/c0`, server.token, merge(-1), 'application/merge-patch+json'));
  await settled(watchers);
  await new Promise((resolve) => setTimeout(resolve, 200));
  let best = Infinity;
  for (let turn = 0; turn < turns; turn += 1) {
    const [before, base] = [await server.usage(), deliveredLines()];
    for (let index = 0; index < events; index += 1) {
      const change = merge(turn * events + index);
      await exchange(socket, requestText('PATCH', `${collection}/c0`, server.token, change, 'application/merge-patch+json'));
      await settled(base + watchers * (index + 1));
    }
    best = Math.min(best, ((await server.usage()).wholeUs - before.wholeUs) / (watchers * events));
  }
  for (const watch of watches) watch.close();
  socket.destroy();
  return best;
}

async function frameOf(server: Running): Promise<Buffer> {
  const socket = await openSocket(server);
  const { body } = await exchange(socket, requestText('GET', `${collection}/c0`, server.token));
  socket.destroy();
  return Buffer.concat([Buffer.from('{"type":"MODIFIED","object":'), body, Buffer.from('}\n')]);
}

async function scheme(security: Security | undefined, smoke: boolean): Promise<BenchmarkRow[]> {
  const tls = security === undefined ? {} : { tls: security.tls };
  const own = await startServer({ be: 'TAPPaaS', ...tls }, security);
  const answers = await record(own);
  const frame = await frameOf(own);
  const others = await Promise.all(peers.map((be) => startServer({ be, ...tls, answers, frame }, security)));
  const servers = [own, ...others];
  try {
    const name = security === undefined ? 'HTTP' : 'HTTPS';
    const rows = await compare(servers, { what: name, smoke });
    const [watchers, events, turns] = smoke ? [20, 5, 1] : [1000, 12, 5];
    const bare = others.find((server) => server.name === 'node:http');
    const value = await watchCost(own, watchers, events, turns);
    const other = bare === undefined ? value : await watchCost(bare, watchers, events, turns);
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
async function audited(who: 'administrator' | 'developer', smoke: boolean): Promise<BenchmarkRow[]> {
  const own = await startServer({ be: 'TAPPaaS', audit: 'file', ...(who === 'developer' && { as: who }) }, undefined);
  const answers = await record(own);
  const others = await Promise.all(peers.map((be) => startServer({ be, answers, frame: Buffer.alloc(0) }, undefined)));
  const servers = [own, ...others];
  try {
    const asked = { administrator: '', developer: ', by a developer with an API token and roles' }[who];
    return await compare(servers, { what: `HTTP, audit into a file${asked}`, smoke, chosen: workloads.slice(0, 1), threads: true });
  } finally {
    for (const { child } of servers) child.kill();
  }
}

async function beside(smoke: boolean): Promise<BenchmarkRow> {
  const own = await startServer({ be: 'TAPPaaS', limits: 'usual' }, undefined);
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
    const recorded = [...(await audited('administrator', smoke)), ...(await audited('developer', smoke))];
    return [...open, ...secure, ...recorded, await beside(smoke), ...(await stageCosts(smoke))];
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

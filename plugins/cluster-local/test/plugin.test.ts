import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test from 'ava';
import type { Cluster, Context } from '@tappaas/sdk';
import { definitionOf } from '@tappaas/sdk/definitions';
import { isAlive } from '../dist/agent/process/identity.js';
import plugin from '../dist/index.js';
import { freePort } from '../../../test/ports.ts';
import { clock, LocalCluster, never, until } from './support/local-cluster.ts';

type Run = (context: Context) => Promise<void>;

/** Runs the plugin's setup on a host that only records registrations. */
function setup(cluster: LocalCluster, changes: object = {}) {
  const registered: {
    start?: Run;
    stop?: Run;
    task?: Run;
    config?: (next: object, previous: object) => Promise<string>;
    cluster?: Cluster;
  } = {};
  const config = {
    directory: join(cluster.directory, 'agent'),
    images: join(cluster.directory, 'images'),
    httpPort: cluster.settings.httpPort,
    hostSuffix: 'localhost',
    nodes: 1,
    podsMax: 10,
    cpuOvercommit: 1,
    podPortFirst: cluster.settings.podPorts.from,
    podPortLast: cluster.settings.podPorts.to,
    servicePortFirst: cluster.settings.servicePorts.from,
    servicePortLast: cluster.settings.servicePorts.to,
    gracePeriodSeconds: 60,
    drainSeconds: 1,
    connectionsMax: 100,
    logBytesMax: 1_000_000,
    restartFirstSeconds: 1,
    restartMostSeconds: 1,
    restartResetSeconds: 1,
    ...changes,
  };
  const host = {
    id: 'local',
    engine: ({ name }: { name: string }) => ({
      name,
      connection: () => Promise.resolve({ server: cluster.api.url, token: cluster.api.token }),
    }),
    controller: () => undefined,
    provide: (_family: unknown, make: () => Cluster) => void (registered.cluster = make()),
    onStart: (run: Run) => void (registered.start = run),
    onStop: (run: Run) => void (registered.stop = run),
    onConfig: (apply: (next: object, previous: object) => Promise<string>) => void (registered.config = apply),
    task: ({ run }: { run: Run }) => void (registered.task = run),
  };
  definitionOf(plugin, 'plugin')?.setup(host as never, config, {});
  return { ...registered, settings: config };
}

const quiet = () => undefined;
const context = {
  clock,
  signal: never,
  remainingMs: () => 4000,
  log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
} as unknown as Context;

test('the task starts the agent, keeps it, and stop ends it', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const made = setup(cluster);
  await made.start?.(context);
  await made.task?.(context);
  const record = await until('agent', () => cluster.control.running());
  await made.task?.(context);
  t.is((await cluster.control.running())?.pid, record.pid);
  process.kill(record.pid, 'SIGKILL');
  await until('agent gone', () => !isAlive(record));
  await made.task?.(context);
  const next = await until('next agent', () => cluster.control.running());
  t.not(next.pid, record.pid);
  await made.stop?.(context);
  t.false(isAlive(next));
  await made.task?.(context);
  t.is(await cluster.control.running(), undefined, 'nothing is started after the stop');
});

test('that pods are not isolated is told once, by the process that looks after the agent and not by those that only serve the API', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const warnings: string[] = [];
  const received = { ...context, log: { ...context.log, warn: (message: string) => void warnings.push(message) } } as unknown as Context;
  const made = setup(cluster);
  await made.start?.(received);
  t.deepEqual(warnings, [], 'every process starts');
  await made.task?.(received);
  await made.task?.(received);
  t.is(warnings.filter((message) => message.includes('pods run as the user of this platform')).length, 1);
  await made.stop?.(received);
});

test('a platform that did not get as far as its agent leaves the agent of another one alone', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const record = await cluster.startAgent();
  const second = setup(cluster);
  await second.start?.(context);
  await second.stop?.(context);
  t.true(isAlive(record));
});

test('a taken port is told before anything starts, with the setting to change', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const squatter = createServer().listen(cluster.settings.httpPort, '127.0.0.1');
  await once(squatter, 'listening');
  t.teardown(() => void squatter.close());
  const error = await t.throwsAsync(setup(cluster).start?.(context) ?? Promise.resolve(), { code: 'CLUSTER_LOCAL_PORT_TAKEN' });
  t.true(
    error?.message.includes(`port ${cluster.settings.httpPort} on 127.0.0.1`) && error.message.includes('plugins.local.config.httpPort'),
  );
});

test('settings that concern the agent only are taken over by it; a new place needs a new start', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const { config, settings, task, stop, cluster: provided } = setup(cluster);
  await task?.(context);
  const first = await until('agent', () => cluster.control.running());
  t.is(await config?.({ ...settings, podsMax: 20 }, settings), 'applied');
  await task?.(context);
  t.is((await cluster.control.running())?.pid, first.pid, 'how it works it takes over by itself');
  t.is(await config?.({ ...settings, podsMax: 20, podPortLast: settings.podPortLast - 1 }, settings), 'applied');
  await task?.(context);
  const second = await until('agent', () => cluster.control.running());
  t.not(second.pid, first.pid);
  const elsewhere = { ...settings, podsMax: 20, podPortLast: settings.podPortLast - 1, httpPort: await freePort() };
  t.is(await config?.(elsewhere, settings), 'applied');
  t.is(provided?.ingress.port, elsewhere.httpPort);
  await task?.(context);
  t.is((await cluster.control.running())?.pid, second.pid, 'it moves its port by itself');
  const squatter = createServer().listen(0, '127.0.0.1');
  t.teardown(() => void squatter.close());
  await once(squatter, 'listening');
  const { port: taken } = squatter.address() as AddressInfo;
  t.is(await config?.({ ...elsewhere, httpPort: taken }, elsewhere), 'restart');
  const successor = setup(cluster, { httpPort: taken });
  await t.throwsAsync(successor.start?.(context) ?? Promise.resolve(), { code: 'CLUSTER_LOCAL_PORT_TAKEN' });
  t.is(await config?.({ ...settings, directory: '/elsewhere' }, settings), 'restart');
  await stop?.(context);
});

test('it provides a cluster that binds pods and says where routes are served', async (t) => {
  const cluster = await LocalCluster.make();
  t.teardown(() => cluster.end());
  const { cluster: provided } = setup(cluster);
  t.like(provided, {
    scheduling: 'bind',
    capabilities: [],
    namespaceTemplate: 'tappaas-{namespace}',
    ingress: { scheme: 'http', hostSuffix: 'localhost', port: cluster.settings.httpPort },
  });
  t.like(await provided?.connection(context), { server: cluster.api.url });
});

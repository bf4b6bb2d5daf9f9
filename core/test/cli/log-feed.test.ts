/** Which lines of which pods `tappaas logs -f` asks for, with a client that is played. */
import { UnreachableError, type Client, type LogOptions } from '@tappaas/client';
import test from 'ava';
import { followLogs } from '../../dist/cli/log-feed.js';
import type { Invocation } from '../../dist/cli/command.js';

const pod = (name: string, state: object) => ({
  metadata: { name },
  status: { containerStatuses: [{ restartCount: 0, ready: false, state }] },
});

test('a pod that waited when it began is told from its first line, however few last lines were asked for', async (t) => {
  const [runs, waits, begun] = [pod('runs', { running: {} }), pod('waits', { waiting: {} }), pod('waits', { running: {} })];
  const requested = new Map<string, number | undefined>();
  const all = Promise.withResolvers<void>();
  const client = {
    async *watch(path: string) {
      if (path.endsWith('/pods')) {
        yield { type: 'ADDED', object: runs };
        yield { type: 'ADDED', object: waits };
        yield { type: 'MODIFIED', object: begun };
        return new Promise(() => {});
      }
      yield { type: 'ADDED', object: {} };
      await all.promise;
      yield { type: 'DELETED', object: {} };
    },
    async *log(path: string, { tailLines }: LogOptions) {
      requested.set(path.replace(/^.*\//, ''), tailLines);
      if (requested.size === 2) all.resolve();
      yield* [];
    },
  };
  const invocation = { namespace: 'team', options: {}, terminal: { stdout: { write: () => true } } };
  const followed = { name: 'shop', place: '/clusters/local/api/v1/namespaces/team', found: [runs, waits], tailLines: 0 };
  await t.throwsAsync(followLogs(invocation as unknown as Invocation, client as unknown as Client, followed), {
    message: 'application shop was deleted',
  });
  t.deepEqual(Object.fromEntries(requested), { runs: 0, waits: undefined });
});

test('a release that serves on another cluster is followed there, its pods from their first line', async (t) => {
  const requested = new Map<string, number | undefined>();
  const all = Promise.withResolvers<void>();
  const client = {
    async *watch(path: string) {
      if (path.endsWith('/pods')) {
        if (path.startsWith('/clusters/other/')) yield { type: 'ADDED', object: pod('runs', { running: {} }) };
        return new Promise(() => {});
      }
      yield { type: 'ADDED', object: { status: { release: 'shop-1' } } };
      yield { type: 'MODIFIED', object: { status: { release: 'shop-2' } } };
      await all.promise;
      yield { type: 'DELETED', object: {} };
    },
    json: async (path: string) => ({ spec: { cluster: path.endsWith('shop-2') ? 'other' : 'local', objects: [] } }),
    async *log(path: string, { tailLines }: LogOptions) {
      requested.set(path, tailLines);
      if (requested.size === 2) all.resolve();
      yield* [];
    },
  };
  const invocation = { namespace: 'team', options: {}, terminal: { stdout: { write: () => true } } };
  const placeOn = (cluster: string): string => `/clusters/${cluster}/api/v1/namespaces/team`;
  const [here, there] = [placeOn('local'), placeOn('other')];
  const followed = { name: 'shop', place: here, found: [pod('runs', { running: {} })], tailLines: 0 };
  await t.throwsAsync(followLogs(invocation as unknown as Invocation, client as unknown as Client, followed), {
    message: 'application shop was deleted',
  });
  t.deepEqual(Object.fromEntries(requested), { [`${here}/pods/runs`]: 0, [`${there}/pods/runs`]: undefined });
});

test('a release that cannot be read while the platform restarts is read again, and standard error says so once', async (t) => {
  const requested: string[] = [];
  const all = Promise.withResolvers<void>();
  let [failures, stderr] = [2, ''];
  const client = {
    async *watch(path: string) {
      if (path.endsWith('/pods')) {
        if (path.startsWith('/clusters/other/')) yield { type: 'ADDED', object: pod('runs', { running: {} }) };
        return new Promise(() => {});
      }
      yield { type: 'ADDED', object: { status: { release: 'shop-2' } } };
      await all.promise;
      yield { type: 'DELETED', object: {} };
    },
    async json() {
      if (failures-- > 0) throw new UnreachableError('unreachable', 'https://platform.example', 'nothing answers');
      return { spec: { cluster: 'other', objects: [] } };
    },
    async *log(path: string) {
      requested.push(path);
      if (requested.length === 2) all.resolve();
      yield* [];
    },
  };
  const remark = (line: string): void => void (stderr += `${line}\n`);
  const invocation = { namespace: 'team', options: {}, terminal: { stdout: { write: () => true } }, remark };
  const [here, there] = ['local', 'other'].map((cluster) => `/clusters/${cluster}/api/v1/namespaces/team`);
  const followed = { name: 'shop', place: here ?? '', found: [pod('runs', { running: {} })], tailLines: 0 };
  await t.throwsAsync(followLogs(invocation as unknown as Invocation, client as unknown as Client, followed), {
    message: 'application shop was deleted',
  });
  t.deepEqual(requested, [`${here}/pods/runs`, `${there}/pods/runs`]);
  t.is(stderr, 'release shop-2 cannot be read now (nothing answers); its pods are followed as soon as it can\n');
});

import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import test, { type ExecutionContext } from 'ava';
import type { BuildContext, Builder, Condition, ReconcileContext } from '@tappaas/sdk';
import type { Build, BuildObject } from '@tappaas/sdk/kinds';
import { reconcileBuild } from '../dist/reconcile-build.js';
import { createSourceStore } from '../dist/source-store.js';

const limits = { unpackedBytesMax: 1_000_000, entriesMax: 100, sentMax: 100 };

/** A Build with a source of one file, and the statuses that its reconciler sets. */
async function prepared(t: ExecutionContext, build: Builder['build']) {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-build-'));
  t.teardown(() => rm(directory, { recursive: true, force: true }));
  await writeFile(join(directory, 'server.js'), 'console.log(1)');
  await promisify(execFile)('tar', ['-czf', 'source.tar.gz', 'server.js'], { cwd: directory });
  const archive = await readFile(join(directory, 'source.tar.gz'));
  const digest = `sha256:${createHash('sha256').update(archive).digest('hex')}`;
  const store = createSourceStore({ directory, ...limits, sentBytesMax: 1_000_000 });
  await store.put(digest, archive, { namespace: 'team-a', caller: { name: 'ann' } }, async () => false);
  let object = {
    metadata: { namespace: 'team-a', name: 'shop-1', uid: 'u1', generation: 1 },
    spec: { application: 'shop', builder: 'source', source: { digest } },
  } as unknown as BuildObject | undefined;
  const statuses: { phase?: string; completionTime?: string; message: string | undefined }[] = [];
  /** Sleeps end when the test says so. */
  let look = Promise.withResolvers<void>();
  const context = {
    clock: { nowMs: () => 0, sleep: () => look.promise },
    signal: new AbortController().signal,
    log: { debug: () => t.fail() },
    asPlugin: { get: async () => object },
    async setStatus(status: object, [ready]: readonly Condition[]) {
      statuses.push({ ...status, message: ready?.message });
      if (object) object = { ...object, status: { ...object.status, ...status } };
    },
  } as unknown as ReconcileContext<typeof Build>;
  const parts = { builders: new Map([['source', { description: '', build }]]), store, imagesDirectory: directory };
  return {
    store,
    digest,
    statuses,
    run: () => reconcileBuild(object ?? t.fail(), parts, context),
    change: (spec: Partial<BuildObject['spec']> | undefined): void => {
      object = object && spec && { ...object, spec: { ...object.spec, ...spec } };
      look.resolve();
      look = Promise.withResolvers();
    },
    unpacked: () => readdir(join(directory, 'unpacked')),
  };
}

/** A builder that works until it is cancelled, or forever if `isDeaf`. */
function working({ isDeaf = false } = {}) {
  const begun = Promise.withResolvers<string>();
  const build = ({ sourceDirectory }: { readonly sourceDirectory: string }, { cancelled }: BuildContext) =>
    new Promise<never>((_, reject) => {
      begun.resolve(sourceDirectory);
      if (!isDeaf) cancelled.addEventListener('abort', () => reject(cancelled.reason as Error));
    });
  return { build, begun: begun.promise };
}

for (const isDeaf of [false, true]) {
  test(`a build that is cancelled while a builder works that ${isDeaf ? 'does not listen' : 'listens'} ends at once, and nothing of its source stays`, async (t) => {
    const { build, begun } = working({ isDeaf });
    const { statuses, run, change, unpacked } = await prepared(t, build);
    const running = run();
    await begun;
    t.is((await unpacked()).length, 1);
    change({ cancelled: true });
    await running;
    t.is(statuses.at(-1)?.phase, 'Cancelled');
    t.truthy(statuses.at(-1)?.completionTime);
    t.regex(statuses.at(-1)?.message ?? '', /was cancelled; set its spec\.cancelled to false/);
    t.deepEqual(await unpacked(), []);
    await run();
    t.is(statuses.length, 2, 'it rests');
  });
}

test('a Build that is deleted while it is built ends its builder, and no status is written to what is gone', async (t) => {
  const { build, begun } = working();
  const { statuses, run, change, unpacked } = await prepared(t, build);
  const running = run();
  await begun;
  change(undefined);
  await running;
  t.deepEqual(
    statuses.map(({ phase }) => phase),
    ['Running'],
  );
  t.deepEqual(await unpacked(), []);
});

test('a change that does not cancel lets it go on, and a build that is wished again begins anew', async (t) => {
  const image = { imageDigest: `sha256:${'a'.repeat(64)}`, startedBy: 'Procfile', cached: false };
  const go = Promise.withResolvers<void>();
  const { statuses, run, change } = await prepared(t, async () => {
    await go.promise;
    return image;
  });
  change({ cancelled: true });
  await run();
  t.is(statuses.at(-1)?.phase, 'Cancelled');
  change({ cancelled: false });
  const running = run();
  change({ parameters: { a: 'b' } });
  go.resolve();
  await running;
  t.deepEqual(
    statuses.map(({ phase }) => phase),
    ['Cancelled', 'Running', 'Succeeded'],
  );
});

test('source is no longer unpacked for a build that was cancelled', async (t) => {
  const { store, digest, unpacked } = await prepared(t, async () => t.fail());
  const abort = new AbortController();
  const unpacking = store.unpacked({ digest, namespace: 'team-a' }, async () => t.fail(), abort.signal);
  abort.abort(new Error('nobody wants it'));
  await t.throwsAsync(unpacking, { message: 'nobody wants it' });
  t.deepEqual(await unpacked(), []);
});

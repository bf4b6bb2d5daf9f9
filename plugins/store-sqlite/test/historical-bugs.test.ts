import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'ava';
import { storeConformance, type MakeStore, type StoreHarness } from '../../../sdk/testing/dist/conformance/store.js';
import { VirtualClock } from '../../../sdk/testing/dist/virtual-clock.js';
import { sqliteHarness } from './sqlite-harness.ts';

/*
 * Bugs that revisioned stores have really had, injected one at a time into a copy of the build. The named case must detect each of them, so
 * that a suite that loses coverage is noticed. Most concern watches and compaction, as in etcd's own list.
 */
interface Fault {
  readonly title: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
  /**
   * Where the bug is visible. Default: the store under test; `memory`: only in the in-memory store, where everything happens within the
   * call.
   */
  readonly on?: 'memory';
  /** Title of the conformance case that must fail. */
  readonly caughtBy: string;
}

const feed = 'sdk/families/watch-feed.js';

const faults: readonly Fault[] = [
  {
    title: 'a watch from the compacted revision is served, without the deletions that are gone',
    file: 'store/writer/reader.js',
    from: 'if (afterRevision < ledger.compactedRevision)',
    to: 'if (afterRevision < ledger.compactedRevision - 1)',
    caughtBy: 'deletions at and around the boundary are told or refused, never left out',
  },
  {
    title: 'a watch from a future revision is told earlier events',
    file: feed,
    from: 'const early = (events[0]?.revision ?? Infinity) <= this.#delivered;',
    to: 'const early = false;',
    caughtBy: 'a watch from a future revision tells nothing earlier, not even that time passed',
  },
  {
    title: 'a progress mark overtakes events that wait',
    file: feed,
    from: 'const events = this.#buffer;',
    to: 'const events = this.#markWanted ? [] : this.#buffer;',
    caughtBy: 'a progress mark asked for by a reader who lags comes behind the events that wait',
  },
  {
    title: 'a progress mark is one revision ahead',
    file: feed,
    from: 'return { revision: this.#delivered, events };',
    to: 'return { revision: this.#delivered + 1, events };',
    caughtBy: 'progress asked for is told even when nothing matches',
  },
  {
    title: 'what is published between the last page of history and the live feed is lost',
    file: feed,
    from: 'if (this.#isOver)\n            return;\n        this.#published = revision;',
    to: 'if (this.#isOver || !this.#live)\n            return;\n        this.#published = revision;',
    on: 'memory',
    caughtBy: 'a closed watch ends, and so do the watches of a closed store',
  },
  {
    title: 'a slow watcher silently loses what does not fit',
    file: feed,
    from: 'return this.fail(this.#tooSlow());',
    to: 'return;',
    caughtBy: 'a slow watcher is cut with its last revision, and resumes there without a gap',
  },
  {
    title: 'a page of history ends inside a revision',
    file: 'store/writer/reader.js',
    from: 'if (full && last !== undefined && revisionOf(row.version) !== last)',
    to: 'if (full && last !== undefined)',
    caughtBy: 'a transaction is told whole: no batch ends inside a revision',
  },
  {
    title: 'a resumed watch begins with the revision it has already told',
    file: 'store/writer/log-table.js',
    from: 'rowId(revision + 1, 0)',
    to: 'rowId(revision, 0)',
    caughtBy: 'a watch resumes after the last batch, on history as well as live',
  },
  {
    title: 'compaction removes what stands at the compacted revision',
    file: 'store/writer/key-index.js',
    from: 'revisionOf(this.#superseding[end]) <= revision',
    to: 'revisionOf(this.#superseding[end]) <= revision + 1',
    caughtBy: 'a key deleted after the compacted revision can be read there',
  },
  {
    title: 'reads below the compacted revision answer with what happens to be left',
    file: 'store/writer/reader.js',
    from: 'if (revision < ledger.compactedRevision)',
    to: 'if (false)',
    caughtBy: 'a list in pages ends with an error, not with a gap, when its revision is compacted',
  },
  {
    title: 'the revision falls back when the newest rows were compacted away',
    file: 'store/writer/ledger.js',
    from: 'this.#revision = state.revision;',
    to: 'this.#revision = Number(database.prepare("SELECT coalesce(max(id), 0) / 2048 AS r FROM log").get().r);',
    caughtBy: 'revisions go on densely when the newest ones were compacted away',
  },
  {
    title: 'a failed guard uses a revision',
    file: 'store/writer/batch.js',
    from: "const current = 'key' in guard ? this.#read(guard.key) : undefined;",
    to: "const current = 'key' in guard ? this.#read(guard.key) : undefined; this.#ledger.setRevision(this.#ledger.revision + 1);",
    caughtBy: 'a failed guard is an answer that names the guard and what stands there, and uses no revision',
  },
  {
    title: 'guards are checked against what stood before the batch',
    file: 'store/writer/batch.js',
    from: 'const current = this.#ledger.keys.current(guard.key);',
    to: 'const now = this.#ledger.keys.current(guard.key); const current = now && revisionOf(now) === this.#ledger.revision && now.older ? now.older : now;',
    caughtBy: 'only one of many that guard the same revision succeeds',
  },
  {
    title: 'claims of a refused transaction stay',
    file: 'store/writer/batch.js',
    from: "if (typeof claimed === 'object' || leaseFault !== undefined)\n            journal.undoTo(mark);",
    to: '',
    caughtBy: 'claims of one transaction add up in their order',
  },
  {
    title: 'a key that is deleted and made again keeps its old create revision',
    file: 'store/writer/key-index.js',
    from: 'return newest?.version === 0 ? undefined : newest;',
    to: 'return newest?.version === 0 ? (newest.older ?? newest) : newest;',
    caughtBy: 'a key that is made again after its deletion begins anew',
  },
  {
    title: 'a renewed lease ends when it would have without',
    file: 'store/lease-clock.js',
    from: 'running.expiresAtMs = this.#clock.nowMs() + running.ttlMs;',
    to: '',
    caughtBy: 'a lease that is renewed in time lives on',
  },
  {
    title: 'after a restart a key has lost its lease',
    file: 'store/writer/ledger.js',
    from: 'this.leases.follow(this.keys.put(version));',
    to: 'this.keys.put(version);',
    caughtBy: 'a lease survives a restart with its keys, and ends after a whole time to live',
  },
  {
    title: 'a key stays with the lease it was once put with',
    file: 'store/writer/lease-index.js',
    from: 'this.#leases.get(from)?.keys.delete(key);',
    to: ';',
    caughtBy: 'a key follows the lease of its last put only',
  },
  {
    title: 'a restore goes on with the revision of the snapshot, so that old cursors fit',
    file: 'store/writer/restore.js',
    from: 'const revision = Math.max(ledger.revision, snapshot.revision) + 1;',
    to: 'const revision = snapshot.revision;',
    caughtBy: 'a restore raises the epoch, and its revision lies beyond every revision told before',
  },
  {
    title: 'a restore leaves watches open',
    file: 'store/store.js',
    from: 'feed.fail(this.#cut(feed.revision));',
    to: ';',
    caughtBy: 'a restore cuts every watch, and nothing from before it can be read or watched',
  },
  {
    title: 'a snapshot mixes revisions',
    file: 'store/writer/snapshots.js',
    from: ', undefined, snapshot.revision))',
    to: ', undefined, ledger.revision))',
    caughtBy: 'a snapshot shows one revision, whatever is written and compacted while it is read',
  },
  {
    title: 'a write is acknowledged before others can read it',
    file: 'store/writer-link.js',
    from: 'this.#listener.onWritten(works, written);',
    to: 'setTimeout(() => this.#listener.onWritten(works, written), 500);',
    caughtBy: 'a read after a write sees it',
  },
  {
    title: 'a buffer of the caller is kept instead of its bytes',
    file: 'store/store.js',
    from: 'new Uint8Array(change.value)',
    to: 'change.value',
    caughtBy: 'a value handed in may be changed by the caller afterwards',
  },
];

const here = dirname(fileURLToPath(import.meta.url));

for (const { title, file, from, to, on, caughtBy } of faults) {
  test.serial(`the suite notices when ${title}`, async (t) => {
    const root = await copyBuild();
    const opened: StoreHarness[] = [];
    try {
      const text = await readFile(join(root, file), 'utf8');
      t.is(text.split(from).length, 2, `the fault no longer fits ${file}: find its place anew`);
      await writeFile(
        join(root, file),
        text.replace(from, () => to),
      );
      const make = on === 'memory' ? await memoryIn(root) : await sqliteIn(root);
      const kept: MakeStore = async () => {
        const harness = await make();
        opened.push(harness);
        return harness;
      };
      const found = storeConformance(kept).find((one) => one.title === caughtBy);
      t.not(found, undefined);
      const caught = new AbortController();
      const error = await t.throwsAsync(Promise.race([found?.run(), hung(caught.signal)]));
      caught.abort();
      t.regex(error?.name ?? '', /^(AssertionError|TapError|TimeoutError)$/);
    } finally {
      // A case that hangs has not closed its store.
      for (const harness of opened) await harness.dispose();
      await rm(root, { recursive: true });
    }
  });
}

async function sqliteIn(root: string): Promise<MakeStore> {
  const { openSqliteStore } = (await import(pathToFileURL(join(root, 'store/store.js')).href)) as typeof import('../dist/store.js');
  return () => sqliteHarness({}, openSqliteStore);
}

async function memoryIn(root: string): Promise<MakeStore> {
  const module = pathToFileURL(join(root, 'memory/memory-store.js')).href;
  const { createMemoryStore } = (await import(module)) as typeof import('../../../core/dist/store/memory-store.js');
  return async () => {
    const clock = new VirtualClock();
    const store = createMemoryStore({ clock });
    return { store, advance: (ms) => clock.advance(ms), dispose: () => store.close() };
  };
}

/** An event that never arrives also counts as a failure. */
async function hung(signal: AbortSignal): Promise<never> {
  await sleep(5_000, undefined, { signal });
  throw new DOMException('the case did not end', 'TimeoutError');
}

/** Copies the SDK and the stores, so that the stores import that copy of the SDK. */
async function copyBuild(): Promise<string> {
  const cache = join(here, '../../../node_modules/.cache');
  await mkdir(cache, { recursive: true });
  const root = await mkdtemp(join(cache, 'tappaas-faults-'));
  await cp(join(here, '../../../sdk/dist'), join(root, 'sdk'), { recursive: true });
  await cp(join(here, '../dist'), join(root, 'store'), { recursive: true });
  await cp(join(here, '../../../core/dist/store'), join(root, 'memory'), { recursive: true });
  for (const name of await readdir(root, { recursive: true })) {
    if (!name.endsWith('.js') || name.startsWith('sdk')) continue;
    const path = join(root, name);
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.replaceAll("'@tappaas/sdk'", `'${relative(dirname(path), join(root, 'sdk/index.js'))}'`));
  }
  return root;
}

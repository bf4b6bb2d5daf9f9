import { isTapError, keyAfterPrefix, storeErrors, type Clock, type ResourceStore, type Watch } from '@tappaas/sdk';
import type { Channel } from './channel.js';
import type { StoreCalls, ToClient, ToServer } from './protocol.js';
import type { LeaseHolder, ReadLeases } from './read-leases.js';
import { RestoreStream } from './restore-stream.js';
import { OpenSnapshots } from './open-snapshots.js';
import { toWire } from './wire-error.js';

export interface StoreServerOptions {
  readonly store: ResourceStore;
  readonly channel: Channel<ToClient, ToServer>;
  readonly clock: Clock;
  /**
   * Read leases, shared by all servers of the store; every write from any process must be a `change` of these. Absent: no leases are
   * granted.
   */
  readonly leases?: ReadLeases;
  /** Limit on bytes sent that have not left this process; a client that falls further behind is disconnected. Default 64 MiB. */
  readonly untakenBytesMax?: number;
}

const everything = { start: '', end: keyAfterPrefix('') };
const callsMax = 10_000;
const healthEveryMs = 1_000;
const eventBytes = 200;

/**
 * Serves a store to another process until the channel closes: answers calls, and sends each event once for all of its watches.
 *
 * The channel keeps order, so a client that has a result has received every event up to the revision that the result reflects.
 */
export function serveStore(options: StoreServerOptions): { close(): Promise<void> } {
  const server = new StoreServer(options);
  const running = Promise.all([server.deliver(), server.sendHealth()]);
  return {
    async close() {
      server.close();
      await running;
    },
  };
}

class StoreServer {
  readonly #options: StoreServerOptions;
  readonly #ended = new AbortController();
  readonly #snapshots: OpenSnapshots;
  readonly #calls: StoreCalls;
  readonly #holder: LeaseHolder = { recall: () => this.#send({ recall: true }) };
  readonly #waiting: { readonly revision: number; readonly resolve: () => void }[] = [];
  #restore: RestoreStream | undefined;
  #watch: Watch | undefined;
  #told = -1;
  #epoch = 0;
  #untakenBytes = 0;
  #running = 0;

  constructor(options: StoreServerOptions) {
    this.#options = options;
    const { store, channel } = options;
    this.#snapshots = new OpenSnapshots(store);
    this.#calls = this.#callsOf(store);
    channel.onMessage((message) => void this.#take(message));
    channel.onClose(() => this.close());
  }

  /** Follows the store until closed, and starts over after a restore. */
  async deliver(): Promise<void> {
    const { store } = this.#options;
    while (!this.#ended.signal.aborted) {
      try {
        const revision = await store.currentRevision();
        this.#watch = store.watch({ ...everything, fromRevision: revision + 1 });
        this.#epoch = store.epoch;
        await this.#options.leases?.recall();
        this.#send({ standing: { epoch: store.epoch, revision } });
        this.#reach(revision);
        for await (const batch of this.#watch) {
          // A write has already recalled the leases; a change caused by an expired store lease has not.
          const recalled = this.#options.leases?.recall();
          if (recalled !== undefined) await recalled;
          this.#send({ told: batch }, bytesOf(batch.events));
          this.#reach(batch.revision);
        }
        this.close();
      } catch (error) {
        // A restore starts everything over. A client that is too slow, or a store that is gone, ends the connection.
        if (!isTapError(error, 'TAP_STORE_COMPACTED')) this.close();
      }
    }
  }

  async sendHealth(): Promise<void> {
    const { store, clock } = this.#options;
    while (!this.#ended.signal.aborted) {
      this.#send({ health: store.health() });
      await clock.sleep(healthEveryMs, this.#ended.signal).catch(() => undefined);
    }
  }

  close(): void {
    if (this.#ended.signal.aborted) return;
    this.#ended.abort();
    this.#watch?.close();
    this.#snapshots.close();
    void this.#restore?.end(false).catch(() => undefined);
    for (const { resolve } of this.#waiting.splice(0)) resolve();
    this.#options.leases?.returned(this.#holder);
    this.#options.channel.close();
  }

  #callsOf(store: ResourceStore): StoreCalls {
    return {
      reached: async () => {
        const revision = await this.#untilTold(await store.currentRevision());
        return { revision, isLeased: this.#isLeased() };
      },
      get: (key, revision) => store.get(key, revision),
      range: (query) => store.range(query),
      transact: (transaction) => {
        this.#options.leases?.returned(this.#holder);
        return store.transact(transaction);
      },
      history: async (query, afterRevision) => {
        const page = await firstBatch(store.watch({ ...query, fromRevision: afterRevision + 1 }));
        await this.#untilTold(page.revision);
        return page;
      },
      grantLease: (ttlMs) => store.grantLease(ttlMs),
      keepLeaseAlive: (id) => store.keepLeaseAlive(id),
      revokeLease: (id) => store.revokeLease(id),
      compact: async (revision) => {
        await store.compact(revision);
        this.#send({ health: store.health() });
      },
      snapshotBegin: async () => this.#snapshots.begin(),
      snapshotChunk: (snapshot) => this.#snapshots.chunk(snapshot),
      snapshotEnd: (snapshot) => this.#snapshots.end(snapshot),
      restoreBegin: async () => {
        if (this.#restore !== undefined) throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'another restore is running' });
        this.#restore = new RestoreStream(store);
      },
      restoreChunk: async (chunk) => this.#restoring().push(chunk),
      restoreEnd: async (whole) => {
        const restore = this.#restoring();
        this.#restore = undefined;
        await restore.end(whole);
        if (whole) await this.#untilTold(await store.currentRevision());
      },
    };
  }

  #take(message: ToServer): Promise<void> | void {
    if ('id' in message) return this.#answer(message);
    this.#options.leases?.returned(this.#holder);
  }

  /** Grants a lease only for a store that knows its revision synchronously, because then no other process writes to it. */
  #isLeased(): boolean {
    const { leases, store } = this.#options;
    if (leases === undefined || this.#ended.signal.aborted) return false;
    return this.#told === store.currentRevision() && this.#epoch === store.epoch && leases.grant(this.#holder);
  }

  async #answer({ id, method, parameters }: Extract<ToServer, { id: number }>): Promise<void> {
    if (this.#running >= callsMax) return this.#refuse(id, `${callsMax} calls of this process are running already`);
    this.#running += 1;
    try {
      const call = this.#calls[method] as (...given: readonly unknown[]) => Promise<unknown>;
      const result = await call(...parameters);
      // The result may reflect a change that an outstanding lease still hides.
      const recalled = method === 'reached' ? undefined : this.#options.leases?.recalled;
      if (recalled !== undefined) await recalled;
      this.#send({ id, result });
    } catch (error) {
      this.#send({ id, error: toWire(error) });
    } finally {
      this.#running -= 1;
    }
  }

  #refuse(id: number, message: string): void {
    this.#send({ id, error: { code: 'TAP_STORE_UNAVAILABLE', message } });
  }

  #restoring(): RestoreStream {
    if (this.#restore !== undefined) return this.#restore;
    throw storeErrors.TAP_STORE_INVALID({ message: 'no restore has begun' });
  }

  /** Waits until all events up to a revision, of at least the current epoch, have been sent. */
  async #untilTold(revision: number): Promise<number> {
    if (this.#told >= revision && this.#epoch === this.#options.store.epoch) return revision;
    await new Promise<void>((resolve) => {
      this.#waiting.push({ revision, resolve });
      this.#watch?.requestProgress();
    });
    return revision;
  }

  #reach(revision: number): void {
    this.#told = revision;
    for (const waiting of this.#waiting.splice(0)) {
      if (waiting.revision <= revision) waiting.resolve();
      else this.#waiting.push(waiting);
    }
    if (this.#waiting.length > 0) this.#watch?.requestProgress();
  }

  /** Counts bytes until they have left the process, so that a client which does not read costs a bounded amount of memory. */
  #send(message: ToClient, bytes = 0): void {
    const { channel, untakenBytesMax = 64 * 1_024 * 1_024 } = this.#options;
    this.#untakenBytes += bytes;
    if (this.#untakenBytes > untakenBytesMax) return this.close();
    channel.send(message, () => (this.#untakenBytes -= bytes));
  }
}

function bytesOf(events: readonly { readonly current?: { readonly value: Uint8Array } }[]): number {
  return events.reduce((sum, { current }) => sum + eventBytes + (current?.value.byteLength ?? 0), 0);
}

/** Returns the first batch of a watch. Progress is requested at once, so that the watch reports its revision when there is no history. */
async function firstBatch(watch: Watch): ReturnType<StoreCalls['history']> {
  watch.requestProgress();
  try {
    for await (const batch of watch) return batch;
  } finally {
    watch.close();
  }
  throw storeErrors.TAP_STORE_UNAVAILABLE({ message: 'the store closed while history was read' });
}

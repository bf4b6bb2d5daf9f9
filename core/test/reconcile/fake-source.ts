import type { Source, SourceEvent } from '../../dist/reconcile/source.js';

export interface Thing {
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    labels?: Record<string, string>;
    managedFields?: { manager: string }[];
  };
  spec?: { size: number };
}

interface OpenWatch {
  push(event: SourceEvent<Thing>): void;
  end(error?: Error): void;
}

/** A server of things with a history, and every way in which a server can let a watcher down. */
export class FakeSource implements Source<Thing> {
  lists = 0;
  watches = 0;
  timeouts: number[] = [];
  /** Thrown by the next lists or watches, in this order. */
  listErrors: Error[] = [];
  watchErrors: Error[] = [];
  /** The next watches say nothing and never end, whatever their signal says. */
  hangs = 0;
  private revision = 0;
  private oldest = 0;
  private serial = 0;
  private readonly things = new Map<string, Thing>();
  private readonly history: SourceEvent<Thing>[] = [];
  private readonly open = new Set<OpenWatch>();

  put(name: string, extra: Partial<Thing> = {}, uid?: string): Thing {
    this.revision += 1;
    const known = this.things.get(name);
    const metadata = { name, uid: uid ?? known?.metadata.uid ?? `uid-${(this.serial += 1)}`, resourceVersion: String(this.revision) };
    const thing = { ...extra, metadata: { ...metadata, ...extra.metadata } };
    this.things.set(name, thing);
    this.notify({ type: known ? 'modified' : 'added', object: thing });
    return thing;
  }

  delete(name: string): void {
    const known = this.things.get(name);
    if (known === undefined) return;
    this.revision += 1;
    this.things.delete(name);
    this.notify({ type: 'deleted', object: { ...known, metadata: { ...known.metadata, resourceVersion: String(this.revision) } } });
  }

  /** Changes that no open watch is told: they are found by resuming or listing. */
  quietly(change: () => void): void {
    const open = [...this.open];
    this.open.clear();
    change();
    for (const watch of open) this.open.add(watch);
  }

  bookmark(): void {
    for (const watch of this.open) watch.push({ type: 'bookmark', revision: String(this.revision) });
  }

  cut(error?: Error): void {
    for (const watch of this.open) watch.end(error);
    this.open.clear();
  }

  compact(): void {
    this.oldest = this.revision;
  }

  get openWatches(): number {
    return this.open.size;
  }

  get now(): string {
    return String(this.revision);
  }

  expired(): Error {
    return Object.assign(new Error('gone'), { name: 'TapError', code: 'TAP_GONE', spec: { httpStatus: 410, retry: 'back-off' } });
  }

  /** A watch that ends as soon as it begins. */
  async *empty(): AsyncGenerator<SourceEvent<Thing>> {
    yield* [];
  }

  async list(): Promise<{ items: Thing[]; revision: string }> {
    this.lists += 1;
    const error = this.listErrors.shift();
    if (error) throw error;
    return { items: [...this.things.values()], revision: String(this.revision) };
  }

  async *watch(options: { fromRevision: string; timeoutMs: number; signal: AbortSignal }): AsyncGenerator<SourceEvent<Thing>> {
    this.watches += 1;
    this.timeouts.push(options.timeoutMs);
    const error = this.watchErrors.shift();
    if (error) throw error;
    if (this.hangs > 0) {
      this.hangs -= 1;
      await new Promise(() => {});
    }
    const from = Number(options.fromRevision);
    if (from < this.oldest) throw this.expired();
    const buffer = this.history.filter((event) => event.type !== 'bookmark' && Number(event.object.metadata.resourceVersion) > from);
    let wake = (): void => {};
    let ended: { error?: Error } | undefined;
    const watch: OpenWatch = {
      push: (event) => {
        buffer.push(event);
        wake();
      },
      end: (error) => {
        ended = error === undefined ? {} : { error };
        wake();
      },
    };
    this.open.add(watch);
    options.signal.addEventListener('abort', () => watch.end(), { once: true });
    try {
      for (;;) {
        const event = buffer.shift();
        if (event) yield event;
        else if (ended?.error) throw ended.error;
        else if (ended) return;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
    } finally {
      this.open.delete(watch);
    }
  }

  private notify(event: SourceEvent<Thing>): void {
    this.history.push(event);
    for (const watch of this.open) watch.push(event);
  }
}

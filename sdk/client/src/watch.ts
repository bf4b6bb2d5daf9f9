import { BackOff, type Devices } from './back-off.js';
import { ApiError, ResumeError, UnreachableError } from './errors.js';
import type { Http } from './http.js';

/** An event of a watch. */
export type WatchEvent<O> =
  | {
      /** The change of the object; for `DELETED`, `object` is its last state. */
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object: O;
      /**
       * A later watch from this version misses nothing. "0" before `SYNCED`: until all objects are delivered, a watch can only start over.
       */
      readonly resourceVersion: string;
    }
  /** All existing objects have been delivered; sent again if the history needed after a broken connection was gone. */
  | { readonly type: 'SYNCED'; readonly resourceVersion: string };

/** The objects of a watch, and where it starts. */
export interface WatchOptions {
  /** A label selector in kubectl's syntax. */
  readonly labels?: string;
  readonly fields?: string;
  /**
   * The resourceVersion of an event, a list or a get; absent or "0": all objects first, then `SYNCED`, then changes. The watch ends with
   * `ResumeError` when the history after it is gone.
   */
  readonly since?: string;
  readonly signal: AbortSignal;
}

/** The metadata that every watched object has. */
interface Watched {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** How long one watch request may last; one that is silent for longer has lost its connection. */
const stretchSeconds = 300;
const silenceMsMax = (stretchSeconds + 60) * 1000;
/** The version that means no position in history. */
const fromStart = '0';
const initialEventsEnd = 'k8s.io/initial-events-end';

/**
 * Watches a collection until the signal aborts or the client is closed. A broken connection is resumed where it was, so that no event is
 * missed and none is delivered twice. When the history is gone, the objects are listed again and the differences are delivered. Remembers
 * the objects it has delivered.
 *
 * @throws ApiError if a retry would not help, such as 403; ResumeError
 */
export async function* watchPath<O>(http: Http, path: string, watchOptions: WatchOptions, devices: Devices): AsyncGenerator<WatchEvent<O>> {
  const options = { ...watchOptions, signal: AbortSignal.any([watchOptions.signal, http.closing]) };
  const backOff = new BackOff(devices);
  const watch = new Watch(options.since, backOff);
  const { signal } = options;
  while (!signal.aborted) {
    let retryAfterMs: number | undefined;
    try {
      for await (const event of watch.connection(http, path, options, devices)) yield event as WatchEvent<O>;
      // The request ended normally: the next one begins at once.
      if (watch.hasProgressed) continue;
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      if (error instanceof ApiError && error.status === 410) watch.restart(error);
      retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
    }
    await backOff.wait(signal, retryAfterMs).catch(() => {});
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.isPassing || error.status === 410;
  return error instanceof UnreachableError && error.isPassing;
}

/** The progress of a watch, across all its connections. */
class Watch {
  readonly #delivered = new Map<string, Watched>();
  readonly #isResumed: boolean;
  #since: string | undefined;
  /** Names of the objects listed so far, during the initial listing. */
  #listed: Set<string> | undefined;
  readonly #backOff: BackOff;
  hasProgressed = false;

  constructor(since: string | undefined, backOff: BackOff) {
    this.#backOff = backOff;
    this.#since = since === fromStart ? undefined : since;
    this.#isResumed = this.#since !== undefined;
  }

  /** @throws ResumeError if not all previous objects were delivered: objects that are missing now could not be reported as deleted */
  restart(cause: ApiError): void {
    if (this.#isResumed) {
      const why = `the watch cannot go on behind resourceVersion ${this.#since ?? ''}: its history is gone`;
      throw new ResumeError(`${why}; list again, and watch since the resourceVersion of the list`, cause);
    }
    this.#since = undefined;
  }

  /** The events of one connection, until it ends or breaks. */
  async *connection(http: Http, path: string, options: WatchOptions, devices: Devices): AsyncGenerator<WatchEvent<Watched>> {
    this.hasProgressed = false;
    this.#listed = this.#since === undefined ? new Set() : undefined;
    const silence = new Silence(devices, options.signal);
    try {
      const lines = http.lines(`${path}?${this.#query(options)}`, AbortSignal.any([options.signal, silence.signal]));
      for await (const line of lines) {
        silence.broken();
        const { type, object } = parseLine(line);
        this.hasProgressed = true;
        if (type === 'ERROR') throw new ApiError((object as { readonly code?: number }).code ?? 500, object);
        // Bookmarks count, too: when nothing happens for hours, nothing else shows that the connection works.
        this.#backOff.reset();
        yield* this.#take(type, object as Watched);
      }
    } catch (error) {
      throw silence.signal.aborted && !options.signal.aborted ? silence.signal.reason : error;
    } finally {
      silence.end();
    }
  }

  *#take(type: string, object: Watched): Generator<WatchEvent<Watched>> {
    const { resourceVersion, annotations } = object.metadata;
    if (type === 'BOOKMARK') {
      if (this.#listed !== undefined && annotations?.[initialEventsEnd] === 'true') yield* this.#endOfList(resourceVersion);
      if (this.#listed === undefined) this.#since = resourceVersion;
      return;
    }
    const key = keyOf(object);
    const before = this.#delivered.get(key);
    if (this.#listed !== undefined) {
      this.#listed.add(key);
      if (before?.metadata.resourceVersion === resourceVersion) return;
    } else this.#since = resourceVersion;
    if (type === 'DELETED') this.#delivered.delete(key);
    else this.#delivered.set(key, object);
    // Existing objects arrive in the order of names: an object's own version says nothing about what has been delivered.
    if (this.#listed === undefined) yield { type: type as 'ADDED', object, resourceVersion };
    else yield { type: before === undefined ? 'ADDED' : 'MODIFIED', object, resourceVersion: fromStart };
  }

  /** Reports objects that were delivered before and are not listed any more as deleted. */
  *#endOfList(resourceVersion: string): Generator<WatchEvent<Watched>> {
    const listed = this.#listed ?? new Set();
    this.#listed = undefined;
    for (const [key, object] of this.#delivered) {
      if (listed.has(key)) continue;
      this.#delivered.delete(key);
      yield { type: 'DELETED', object, resourceVersion: fromStart };
    }
    yield { type: 'SYNCED', resourceVersion };
  }

  #query({ labels, fields }: WatchOptions): string {
    const query = new URLSearchParams({ watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: String(stretchSeconds) });
    if (labels !== undefined) query.set('labelSelector', labels);
    if (fields !== undefined) query.set('fieldSelector', fields);
    if (this.#since === undefined) {
      query.set('sendInitialEvents', 'true');
      query.set('resourceVersionMatch', 'NotOlderThan');
    } else query.set('resourceVersion', this.#since);
    return query.toString();
  }
}

function parseLine(line: string): { readonly type: string; readonly object: unknown } {
  try {
    return JSON.parse(line) as { readonly type: string; readonly object: unknown };
  } catch (cause) {
    throw new UnreachableError('broken-off', '', 'the watch sent a line that is not an event', cause);
  }
}

function keyOf({ metadata }: Watched): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Aborts when nothing has been received for too long. */
class Silence {
  readonly #devices: Devices;
  readonly #aborter = new AbortController();
  readonly #ended = new AbortController();
  #receivedAtMs: number;

  /** After `signal` aborts, the watch can be abandoned at once: no timer of it is left. */
  constructor(devices: Devices, signal: AbortSignal) {
    this.#devices = devices;
    this.#receivedAtMs = devices.nowMs();
    void this.#wait(AbortSignal.any([this.#ended.signal, signal]));
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  broken(): void {
    this.#receivedAtMs = this.#devices.nowMs();
  }

  end(): void {
    this.#ended.abort();
  }

  async #wait(over: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = this.#receivedAtMs + silenceMsMax - this.#devices.nowMs();
      if (leftMs <= 0) break;
      try {
        await this.#devices.sleep(leftMs, over);
      } catch {
        return;
      }
    }
    this.#aborter.abort(new UnreachableError('broken-off', '', 'nothing was heard of the watch for too long'));
  }
}

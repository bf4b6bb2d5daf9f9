import { BackOff, type Devices } from './back-off.js';
import { ApiError, ResumeError, UnreachableError } from './errors.js';
import type { Http } from './http.js';

/** What a watch tells. */
export type WatchEvent<O> =
  | {
      /** `DELETED` tells the object as it was last. */
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object: O;
      /** A later watch since this misses nothing. "0" before `SYNCED`: until everything has been told, there is no place to go on from but the beginning. */
      readonly resourceVersion: string;
    }
  /** Everything that there is has been told; again after the history that a break needed was gone. */
  | { readonly type: 'SYNCED'; readonly resourceVersion: string };

/** What a watch looks at, and from where on. */
export interface WatchOptions {
  /** A label selector as kubectl writes it. */
  readonly labels?: string;
  readonly fields?: string;
  /**
   * What an event, a list or a get has told; absent or "0": all objects first, then `SYNCED`, then what becomes of them. Ends with `ResumeError` when
   * the history behind it is gone.
   */
  readonly since?: string;
  readonly signal: AbortSignal;
}

/** What every object that is watched carries. */
interface Watched {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

/** How long the platform lets a watch go on; one that is silent for longer than that has lost its connection. */
const stretchSeconds = 300;
const silenceMsMax = (stretchSeconds + 60) * 1000;
/** The version that stands for no place in history. */
const fromStart = '0';
const initialEventsEnd = 'k8s.io/initial-events-end';

/**
 * Watches a collection until the signal aborts or the client is closed: whatever breaks is taken up where it was, so that no event is missed and none is told
 * twice. When history is gone, the objects are read anew and what differs is told. Remembers the objects it has told.
 *
 * @throws ApiError for what another try would not change, such as 403; ResumeError
 */
export async function* watchPath<O>(http: Http, path: string, asked: WatchOptions, devices: Devices): AsyncGenerator<WatchEvent<O>> {
  const options = { ...asked, signal: AbortSignal.any([asked.signal, http.closing]) };
  const backOff = new BackOff(devices);
  const watch = new Watch(options.since, backOff);
  const { signal } = options;
  while (!signal.aborted) {
    let retryAfterMs: number | undefined;
    try {
      for await (const event of watch.connection(http, path, options, devices)) yield event as WatchEvent<O>;
      // Ended in order: the next stretch begins at once.
      if (watch.hasProgressed) continue;
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      if (error instanceof ApiError && error.status === 410) watch.beginAnew(error);
      retryAfterMs = error instanceof ApiError ? error.retryAfterMs : undefined;
    }
    await backOff.wait(signal, retryAfterMs).catch(() => {});
  }
}

function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.isPassing || error.status === 410;
  return error instanceof UnreachableError && error.isPassing;
}

/** How far a watch has come, over all its connections. */
class Watch {
  readonly #told = new Map<string, Watched>();
  readonly #isResumed: boolean;
  #since: string | undefined;
  /** Names of what has been listed so far, while all objects are told. */
  #listed: Set<string> | undefined;
  readonly #backOff: BackOff;
  hasProgressed = false;

  constructor(since: string | undefined, backOff: BackOff) {
    this.#backOff = backOff;
    this.#since = since === fromStart ? undefined : since;
    this.#isResumed = this.#since !== undefined;
  }

  /** @throws ResumeError when not all objects that there were have been told: what is not listed any more could not be told as deleted */
  beginAnew(cause: ApiError): void {
    if (this.#isResumed) {
      const why = `the watch cannot go on behind resourceVersion ${this.#since ?? ''}: its history is gone`;
      throw new ResumeError(`${why}; list again, and watch since the resourceVersion of the list`, cause);
    }
    this.#since = undefined;
  }

  /** One connection, until it ends or breaks. */
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
        // A bookmark, too: where nothing happens for hours there is nothing else to tell that the connection holds.
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
    const before = this.#told.get(key);
    if (this.#listed !== undefined) {
      this.#listed.add(key);
      if (before?.metadata.resourceVersion === resourceVersion) return;
    } else this.#since = resourceVersion;
    if (type === 'DELETED') this.#told.delete(key);
    else this.#told.set(key, object);
    // What is there comes in the order of names: an object's own version says nothing of what has been told.
    if (this.#listed === undefined) yield { type: type as 'ADDED', object, resourceVersion };
    else yield { type: before === undefined ? 'ADDED' : 'MODIFIED', object, resourceVersion: fromStart };
  }

  /** What was told before and is not listed any more has gone meanwhile. */
  *#endOfList(resourceVersion: string): Generator<WatchEvent<Watched>> {
    const listed = this.#listed ?? new Set();
    this.#listed = undefined;
    for (const [key, object] of this.#told) {
      if (listed.has(key)) continue;
      this.#told.delete(key);
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
    throw new UnreachableError('broken-off', '', 'the watch sent a line that is no event', cause);
  }
}

function keyOf({ metadata }: Watched): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}

/** Aborts when nothing has been heard for too long. */
class Silence {
  readonly #devices: Devices;
  readonly #aborter = new AbortController();
  readonly #ended = new AbortController();
  #heardAtMs: number;

  /** Whoever aborts `signal` may leave the watch where it stands: nothing of it waits any longer. */
  constructor(devices: Devices, signal: AbortSignal) {
    this.#devices = devices;
    this.#heardAtMs = devices.nowMs();
    void this.#wait(AbortSignal.any([this.#ended.signal, signal]));
  }

  get signal(): AbortSignal {
    return this.#aborter.signal;
  }

  broken(): void {
    this.#heardAtMs = this.#devices.nowMs();
  }

  end(): void {
    this.#ended.abort();
  }

  async #wait(over: AbortSignal): Promise<void> {
    for (;;) {
      const leftMs = this.#heardAtMs + silenceMsMax - this.#devices.nowMs();
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

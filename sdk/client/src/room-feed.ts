import { ApiError } from './errors.js';
import { LogReading, type LogPlace } from './log-reading.js';

/** What a room is about; see the documentation of sockets. */
export type RoomRequest =
  | ({ readonly topic: 'objects'; readonly group?: string; readonly version: string; readonly plural: string } & RoomSelection)
  | ({ readonly topic: 'events' | 'operations' } & RoomSelection)
  | {
      readonly topic: 'logs';
      readonly engine?: string;
      readonly namespace: string;
      readonly pod: string;
      readonly container?: string;
      readonly tailLines?: number;
    }
  | { readonly topic: 'metrics'; readonly names: readonly string[] };

interface RoomSelection {
  readonly engine?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Absent: all objects first, then what becomes of them. */
  readonly resourceVersion?: string;
}

/** What a room tells. */
export type RoomMessage =
  | {
      readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
      readonly object?: unknown;
      readonly reference?: unknown;
      readonly resourceVersion: string;
    }
  /** All objects that there are have been told. */
  | { readonly type: 'SYNCED'; readonly resourceVersion: string }
  | { readonly type: 'LINES'; readonly lines: readonly string[] }
  | { readonly type: 'METRICS'; readonly replica: string; readonly text: string }
  /** History was gone: all objects are told anew, and what is not among them has gone. */
  | { readonly type: 'RESYNC' };

/** A message of the platform, as it comes. */
export interface Told {
  readonly room: string;
  readonly type?: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK';
  readonly object?: Named;
  readonly reference?: Named;
  readonly lines?: readonly string[];
  readonly replica?: string;
  readonly text?: string;
}

/** Why the platform has ended a room. */
export interface Closing {
  readonly room?: string;
  readonly resync?: boolean;
  readonly error?: { readonly code?: number };
}

interface Named {
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly resourceVersion: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

const waitingMax = 1000;
const initialEventsEnd = 'k8s.io/initial-events-end';

/** Up to where a room has come: a resourceVersion, or a place in a log. */
type Reached = string | LogPlace;

/** A message that waits to be taken, and up to where the room has come with it. */
interface Waiting {
  readonly message: RoomMessage;
  readonly reached?: Reached;
}

/** The messages of one room between the connection and whoever takes them: in order, once each, at most so many waiting. */
export class RoomFeed {
  readonly #request: RoomRequest;
  readonly #waiting: Waiting[] = [];
  #wake: (() => void) | undefined;
  #failure: unknown;
  #isOver = false;
  /** Up to where messages were put into the queue, and up to where they were taken from it. */
  #heard: Reached | undefined;
  #taken: Reached | undefined;
  /** The log as the present join tells it. */
  #reading = new LogReading(undefined);
  /** While all objects are told: those told already, by name, so that a break on the way does not tell them again. */
  #listed: Map<string, string> | undefined;
  /** More came than was taken: what came last was let go of, and is asked for again. */
  #isBehind = false;

  constructor(request: RoomRequest) {
    this.#request = request;
    this.#heard = 'resourceVersion' in request ? request.resourceVersion : undefined;
    this.#taken = this.#heard;
    if (this.#heard === undefined) this.#listed = new Map();
  }

  /** What to join with now: from where on. */
  joining(): object {
    if (this.#request.topic === 'metrics') return this.#request;
    if (this.#request.topic === 'logs') return this.#joiningLog(this.#request);
    const { resourceVersion: _, ...request } = this.#request;
    return { ...request, ...(this.#heard !== undefined && { resourceVersion: this.#heard }) };
  }

  /** After a break all lines since then, however many were asked for at first. */
  #joiningLog({ tailLines, ...request }: RoomRequest & { readonly topic: 'logs' }): object {
    const place = typeof this.#heard === 'object' ? this.#heard : undefined;
    this.#reading = new LogReading(place);
    if (place !== undefined) return { ...request, sinceTime: place.time };
    return { ...request, ...(tailLines !== undefined && { tailLines }) };
  }

  hear(told: Told): void {
    if (this.#isBehind) return;
    if (told.lines !== undefined) this.#hearLines(told.lines);
    else if (told.text !== undefined) this.#put({ message: { type: 'METRICS', replica: told.replica ?? '', text: told.text } });
    else if (told.type === 'BOOKMARK') this.#hearBookmark(told);
    else if (told.type !== undefined) this.#hearEvent(told, told.type);
  }

  /** The platform has ended the room. Answers whether to join again. */
  closed({ resync = false, error }: Closing): boolean {
    if (resync) this.#beginAnew();
    if (resync || error === undefined) return resync || this.#request.topic !== 'logs';
    const failure = new ApiError(error.code ?? 500, error);
    if (!failure.isPassing) this.fail(failure);
    return failure.isPassing;
  }

  /** A join was refused. Answers whether another try may succeed. */
  refused(error: { readonly code?: number }): boolean {
    return this.closed({ resync: error.code === 410, error });
  }

  end(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure = error;
    this.#wake?.();
  }

  /** Takes messages until the room is over; `caughtUp` is called when a feed that was behind may be joined again. */
  async *messages(caughtUp: () => void): AsyncGenerator<RoomMessage> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#taken = next.message.type === 'RESYNC' ? undefined : (next.reached ?? this.#taken);
        yield next.message;
      } else if (this.#isBehind) {
        this.#isBehind = false;
        this.#heard = this.#taken;
        caughtUp();
      } else if (this.#failure !== undefined) throw this.#failure;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Has its place even when too much waits: without it, what is told next would be taken for changes of what was told. */
  #beginAnew(): void {
    this.#heard = undefined;
    this.#listed = new Map();
    if (this.#waiting.at(-1)?.message.type === 'RESYNC') return;
    this.#waiting.push({ message: { type: 'RESYNC' } });
    this.#wake?.();
  }

  #hearBookmark({ object }: Told): void {
    const { resourceVersion, annotations } = object?.metadata ?? {};
    if (resourceVersion === undefined) return;
    if (this.#listed === undefined) this.#heard = resourceVersion;
    else if (
      annotations?.[initialEventsEnd] === 'true' &&
      this.#put({ message: { type: 'SYNCED', resourceVersion }, reached: resourceVersion })
    ) {
      this.#listed = undefined;
      this.#heard = resourceVersion;
    }
  }

  #hearEvent({ object, reference }: Told, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void {
    const metadata = (object ?? reference)?.metadata;
    if (metadata === undefined) return;
    const { resourceVersion } = metadata;
    const message = { type, ...(object && { object }), ...(reference && { reference }), resourceVersion } as const;
    if (this.#listed === undefined) {
      if (this.#put({ message, reached: resourceVersion })) this.#heard = resourceVersion;
      return;
    }
    const key = `${metadata.namespace ?? ''}/${metadata.name}`;
    if (this.#listed.get(key) !== resourceVersion && this.#put({ message })) this.#listed.set(key, resourceVersion);
  }

  #hearLines(lines: readonly string[]): void {
    const { fresh, place } = this.#reading.take(lines);
    if (fresh.length > 0 && this.#put({ message: { type: 'LINES', lines: fresh }, ...(place && { reached: place }) })) this.#heard = place;
  }

  #put(waiting: Waiting): boolean {
    if (this.#waiting.length >= waitingMax) {
      this.#isBehind = true;
      return false;
    }
    this.#waiting.push(waiting);
    this.#wake?.();
    return true;
  }
}

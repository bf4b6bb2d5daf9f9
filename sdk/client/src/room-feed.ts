import { LogReading, type LogPlace } from '@tappaas/sdk/log';
import { ApiError } from './errors.js';
import { RoomListing } from './room-listing.js';
import type { Closing, RoomMessage, RoomRequest, RoomEvent } from './room-message.js';

const waitingMax = 1000;
const initialEventsEnd = 'k8s.io/initial-events-end';

/** The progress of a room: a resourceVersion, or a position in a log. */
type Reached = string | LogPlace;

/** An unread message, and the progress of the room with it. */
interface Waiting {
  readonly message: RoomMessage;
  readonly reached?: Reached;
}

/** The queue between the connection and the consumer of one room: in order, each message once, with a bound on unread messages. */
export class RoomFeed {
  readonly #request: RoomRequest;
  readonly #waiting: Waiting[] = [];
  #wake: (() => void) | undefined;
  #failure: unknown;
  #isOver = false;
  /** Whether the log has existed. If so, a container without a log is about to restart, and a pod that is not found was deleted. */
  #hasBegun = false;
  /** The progress of messages put into the queue (`#received`), and of messages taken from it. */
  #received: Reached | undefined;
  #taken: Reached | undefined;
  /** The reader of the log in the present join. */
  #reading = new LogReading(undefined);
  /** The initial listing; undefined once it is complete. */
  #listing: RoomListing | undefined;
  /** Messages arrived faster than they were consumed: the last ones were dropped, and must be requested again. */
  #isBehind = false;

  constructor(request: RoomRequest) {
    this.#request = request;
    this.#received = 'resourceVersion' in request ? request.resourceVersion : undefined;
    this.#taken = this.#received;
    if (this.#received === undefined) this.#listing = new RoomListing();
  }

  /** The join request that continues at the present position. */
  joining(): object {
    if (this.#request.topic === 'metrics') return this.#request;
    if (this.#request.topic === 'logs') return this.#joiningLog(this.#request);
    this.#listing?.begin();
    const { resourceVersion: _, ...request } = this.#request;
    return { ...request, ...(this.#received !== undefined && { resourceVersion: this.#received }) };
  }

  /** After a break, requests all lines since then, however many were requested at first. */
  #joiningLog({ tailLines, ...request }: RoomRequest & { readonly topic: 'logs' }): object {
    const place = typeof this.#received === 'object' ? this.#received : undefined;
    this.#reading = new LogReading(place);
    if (place !== undefined) return { ...request, sinceTime: place.time };
    return { ...request, ...(tailLines !== undefined && { tailLines }) };
  }

  receive(event: RoomEvent): void {
    if (this.#isBehind) return;
    if (event.lines !== undefined) this.#receiveLines(event.lines);
    else if (event.text !== undefined) this.#put({ message: { type: 'METRICS', replica: event.replica ?? '', text: event.text } });
    else if (event.type === 'BOOKMARK') this.#receiveBookmark(event);
    else if (event.type !== undefined) this.#receiveEvent(event, event.type);
  }

  /** Called when the platform has ended the room. Returns the minimum time before joining again; undefined: do not join again. */
  closed({ resync = false, error }: Closing): number | undefined {
    if (resync) this.#restart();
    // A log ends without an error when its container ends; the container may be restarted.
    this.#hasBegun ||= error === undefined;
    if (resync || error === undefined) return 0;
    const failure = new ApiError(error.code ?? 500, error);
    const isLog = this.#request.topic === 'logs' && this.#hasBegun;
    if (failure.isPassing || (isLog && failure.status === 400)) return failure.retryAfterMs ?? 0;
    if (isLog && failure.status === 404) this.end();
    else this.fail(failure);
    return undefined;
  }

  /** Called when a join was refused. Returns the same as `closed`. */
  refused(error: { readonly code?: number }): number | undefined {
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

  /** Yields messages until the room ends; `caughtUp` is called when a room whose messages were dropped can be joined again. */
  async *messages(caughtUp: () => void): AsyncGenerator<RoomMessage> {
    for (;;) {
      const next = this.#waiting.shift();
      if (next !== undefined) {
        this.#taken = next.message.type === 'RESYNC' ? undefined : (next.reached ?? this.#taken);
        yield next.message;
      } else if (this.#isBehind) {
        this.#isBehind = false;
        this.#received = this.#taken;
        caughtUp();
      } else if (this.#failure !== undefined) throw this.#failure;
      else if (this.#isOver) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Queues `RESYNC` even when the queue is full: without it, the following objects would be taken for changes of delivered ones. */
  #restart(): void {
    this.#received = undefined;
    this.#listing = new RoomListing();
    if (this.#waiting.at(-1)?.message.type === 'RESYNC') return;
    this.#waiting.push({ message: { type: 'RESYNC' } });
    this.#wake?.();
  }

  #receiveBookmark({ object }: RoomEvent): void {
    const { resourceVersion, annotations } = object?.metadata ?? {};
    if (resourceVersion === undefined) return;
    if (this.#listing !== undefined) {
      if (annotations?.[initialEventsEnd] !== 'true' || !this.#endListing(this.#listing, resourceVersion)) return;
      this.#listing = undefined;
    }
    this.#received = resourceVersion;
  }

  #endListing(listing: RoomListing, resourceVersion: string): boolean {
    for (const reference of listing.missing()) {
      if (!this.#put({ message: { type: 'DELETED', reference, resourceVersion } })) return false;
      listing.recordDelivery('DELETED', reference);
    }
    return this.#put({ message: { type: 'SYNCED', resourceVersion }, reached: resourceVersion });
  }

  #receiveEvent({ object, reference }: RoomEvent, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void {
    const about = object ?? reference;
    if (about === undefined) return;
    const { resourceVersion } = about.metadata;
    const message = { type, ...(object && { object }), ...(reference && { reference }), resourceVersion } as const;
    if (this.#listing === undefined) {
      if (this.#put({ message, reached: resourceVersion })) this.#received = resourceVersion;
    } else if (!this.#listing.hasDelivered(about) && this.#put({ message })) this.#listing.recordDelivery(type, about);
  }

  #receiveLines(lines: readonly string[]): void {
    this.#hasBegun = true;
    const { fresh, place } = this.#reading.take(lines);
    if (fresh.length > 0 && this.#put({ message: { type: 'LINES', lines: fresh }, ...(place && { reached: place }) }))
      this.#received = place;
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

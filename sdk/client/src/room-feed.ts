import { ApiError } from './errors.js';
import { LogReading, type LogPlace } from './log-reading.js';
import { RoomListing } from './room-listing.js';
import type { Closing, RoomMessage, RoomRequest, Told } from './room-message.js';

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
  /** While all objects are told. */
  #listing: RoomListing | undefined;
  /** More came than was taken: what came last was let go of, and is asked for again. */
  #isBehind = false;

  constructor(request: RoomRequest) {
    this.#request = request;
    this.#heard = 'resourceVersion' in request ? request.resourceVersion : undefined;
    this.#taken = this.#heard;
    if (this.#heard === undefined) this.#listing = new RoomListing();
  }

  /** What to join with now: from where on. */
  joining(): object {
    if (this.#request.topic === 'metrics') return this.#request;
    if (this.#request.topic === 'logs') return this.#joiningLog(this.#request);
    this.#listing?.begin();
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

  /** The platform has ended the room. Answers how long to wait at least before joining again; nothing: it is not joined again. */
  closed({ resync = false, error }: Closing): number | undefined {
    if (resync) this.#beginAnew();
    if (resync || error === undefined) return resync || this.#request.topic !== 'logs' ? 0 : undefined;
    const failure = new ApiError(error.code ?? 500, error);
    if (failure.isPassing) return failure.retryAfterMs ?? 0;
    this.fail(failure);
    return undefined;
  }

  /** A join was refused. Answers likewise. */
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
    this.#listing = new RoomListing();
    if (this.#waiting.at(-1)?.message.type === 'RESYNC') return;
    this.#waiting.push({ message: { type: 'RESYNC' } });
    this.#wake?.();
  }

  #hearBookmark({ object }: Told): void {
    const { resourceVersion, annotations } = object?.metadata ?? {};
    if (resourceVersion === undefined) return;
    if (this.#listing !== undefined) {
      if (annotations?.[initialEventsEnd] !== 'true' || !this.#endListing(this.#listing, resourceVersion)) return;
      this.#listing = undefined;
    }
    this.#heard = resourceVersion;
  }

  #endListing(listing: RoomListing, resourceVersion: string): boolean {
    for (const reference of listing.gone()) {
      if (!this.#put({ message: { type: 'DELETED', reference, resourceVersion } })) return false;
      listing.tell('DELETED', reference);
    }
    return this.#put({ message: { type: 'SYNCED', resourceVersion }, reached: resourceVersion });
  }

  #hearEvent({ object, reference }: Told, type: 'ADDED' | 'MODIFIED' | 'DELETED'): void {
    const about = object ?? reference;
    if (about === undefined) return;
    const { resourceVersion } = about.metadata;
    const message = { type, ...(object && { object }), ...(reference && { reference }), resourceVersion } as const;
    if (this.#listing === undefined) {
      if (this.#put({ message, reached: resourceVersion })) this.#heard = resourceVersion;
    } else if (!this.#listing.knows(about) && this.#put({ message })) this.#listing.tell(type, about);
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

import { setImmediate as turn } from 'node:timers/promises';
import { sendHead } from './answer.js';
import type { WatchEvent, WatchQuery } from './engine-port.js';
import type { Exchange } from './exchange.js';
import { narrowedSelectors, resourceVersionParameter, selectorParameters } from './list-parameters.js';
import { viewOf, type ObjectCall } from './object-reads.js';
import type { View } from './object-view.js';
import { choiceParameter, countParameter, flagParameter, invalid } from './query-parameters.js';
import { drained, endOfStream, StreamEnd, type StreamLimits } from './stream-pace.js';
import { failureStatus, publicError } from './status.js';
import { bookmarkFrame, errorFrame, type WatchFrames } from './watch-frames.js';

export interface WatchLimits extends StreamLimits {
  /** Between 0 and 1; spreads the ends of watches, so that clients do not come back all at once. */
  readonly random: () => number;
}

type WatchParameters = Omit<WatchQuery, 'target' | 'signal'>;

const timeoutSecondsDefault = 1800;
const timeoutSecondsMax = 86_400;

/** Where the events of a watch go: lines of an answer, or messages of a socket. */
export interface WatchOutlet {
  /** Tells the client that the watch stands. */
  begin(): void | Promise<void>;
  readonly hasBegun: boolean;
  /** False when the client has to catch up first, see `drained`. */
  write(frame: Buffer): boolean;
  /** Resolves when there is room again; throws when the client does not read. */
  drained(): Promise<void>;
  end(): void;
}

/** `GET …?watch=true`: events as lines of JSON, until the client leaves, time is over, or the platform stops. */
export function watchObjects(call: ObjectCall, frames: WatchFrames, limits: WatchLimits): Promise<void> {
  const { exchange } = call;
  const { response } = exchange;
  return streamEvents(call, frames, limits, {
    begin: () => {
      sendHead(exchange, 200, 'application/json');
      response.flushHeaders();
    },
    get hasBegun() {
      return response.headersSent;
    },
    // Node writes in one piece what is written in one turn; corking the response by hand would lose its "drain" event.
    write: (frame) => response.destroyed || response.write(frame),
    drained: () => drained(exchange, limits),
    end: () => void response.end(),
  });
}

/** Follows what the query of the request asks for, to an outlet. */
export async function streamEvents(call: ObjectCall, frames: WatchFrames, limits: WatchLimits, outlet: WatchOutlet): Promise<void> {
  const { exchange, engine, target } = call;
  const view = viewOf(call);
  const parameters = narrowedSelectors(watchParameters(exchange.query), exchange.narrowed);
  const asked = countParameter(exchange.query, 'timeoutSeconds', timeoutSecondsMax);
  const timeoutMs = 1000 * (asked || timeoutSecondsDefault * (1 + limits.random()));
  const timer = new AbortController();
  limits.clock.sleep(timeoutMs, timer.signal).then(
    () => exchange.abort(endOfStream('time')),
    () => {},
  );
  try {
    const events = engine.watch({ target, ...parameters, signal: exchange.signal });
    await new EventStream(exchange, view, frames, outlet, parameters).run(events);
  } finally {
    timer.abort();
  }
}

function watchParameters(query: URLSearchParams): WatchParameters {
  const resourceVersion = resourceVersionParameter(query);
  const match = choiceParameter(query, 'resourceVersionMatch', ['NotOlderThan']);
  const saysInitial = query.has('sendInitialEvents');
  if (match !== undefined && !saysInitial) throw invalid('resourceVersionMatch', 'forbidden for a watch without sendInitialEvents');
  if (saysInitial && match === undefined) throw invalid('resourceVersionMatch', 'expected NotOlderThan beside sendInitialEvents');
  return {
    ...selectorParameters(query),
    ...(resourceVersion !== undefined && { resourceVersion }),
    sendInitialEvents: flagParameter(query, 'sendInitialEvents'),
    bookmarks: flagParameter(query, 'allowWatchBookmarks'),
  };
}

class EventStream {
  private readonly exchange: Exchange;
  private readonly view: View;
  private readonly frames: WatchFrames;
  private readonly outlet: WatchOutlet;
  private readonly bookmarks: boolean;
  /** Up to where the client has been told; unknown until a watch that starts "now" has seen its first event. */
  private reached: string | undefined;

  constructor(exchange: Exchange, view: View, frames: WatchFrames, outlet: WatchOutlet, parameters: WatchParameters) {
    this.exchange = exchange;
    this.view = view;
    this.frames = frames;
    this.outlet = outlet;
    this.bookmarks = parameters.bookmarks;
    this.reached = parameters.resourceVersion === '0' ? undefined : parameters.resourceVersion;
  }

  /** What the engine refuses at once is thrown, and answered like any failure; what comes later becomes an ERROR event. */
  async run(events: AsyncIterable<readonly WatchEvent[]>): Promise<void> {
    const iterator = events[Symbol.asyncIterator]();
    const first = iterator.next();
    try {
      await Promise.race([first, turn()]);
      await this.outlet.begin();
      for (let next = await first; next.done !== true; next = await iterator.next()) await this.send(next.value);
      await this.end();
    } catch (error) {
      if (this.exchange.signal.reason instanceof StreamEnd) await this.end();
      else if (this.outlet.hasBegun) this.fail(error);
      else throw error;
    } finally {
      await iterator.return?.().catch(() => {});
    }
  }

  private async send(batch: readonly WatchEvent[]): Promise<void> {
    let room = true;
    for (const event of batch) {
      room = this.outlet.write(this.frames.frame(event, this.view));
      this.reached = event.served.resourceVersion;
    }
    if (!room) await this.outlet.drained();
  }

  private async end(): Promise<void> {
    if (!this.outlet.hasBegun) await this.outlet.begin();
    if (this.bookmarks && this.reached !== undefined) this.outlet.write(bookmarkFrame(this.view, this.reached));
    this.outlet.end();
  }

  private fail(error: unknown): void {
    const { requestId, info } = this.exchange;
    const failure = publicError(error, requestId);
    this.exchange.errorCode = failure.code;
    this.outlet.write(errorFrame(failureStatus(failure, info)));
    this.outlet.end();
  }
}

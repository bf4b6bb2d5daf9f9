import { setImmediate as turn } from 'node:timers/promises';
import { sendHead } from './answer.js';
import type { WatchEvent, WatchQuery } from './engine-port.js';
import type { Exchange } from './exchange.js';
import { resourceVersionParameter, selectorParameters } from './list-parameters.js';
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

/** `GET …?watch=true`: events as lines of JSON, until the client leaves, time is over, or the platform stops. */
export async function watchObjects(call: ObjectCall, frames: WatchFrames, limits: WatchLimits): Promise<void> {
  const { exchange, engine, target } = call;
  const view = viewOf(call);
  const parameters = watchParameters(exchange.query);
  const asked = countParameter(exchange.query, 'timeoutSeconds', timeoutSecondsMax);
  const timeoutMs = 1000 * (asked || timeoutSecondsDefault * (1 + limits.random()));
  const timer = new AbortController();
  limits.clock.sleep(timeoutMs, timer.signal).then(
    () => exchange.abort(endOfStream()),
    () => {},
  );
  try {
    const events = engine.watch({ target, ...parameters, signal: exchange.signal });
    await new EventStream(exchange, view, frames, limits, parameters).run(events);
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
  private readonly limits: WatchLimits;
  private readonly bookmarks: boolean;
  /** Up to where the client has been told; unknown until a watch that starts "now" has seen its first event. */
  private reached: string | undefined;

  constructor(exchange: Exchange, view: View, frames: WatchFrames, limits: WatchLimits, parameters: WatchParameters) {
    this.exchange = exchange;
    this.view = view;
    this.frames = frames;
    this.limits = limits;
    this.bookmarks = parameters.bookmarks;
    this.reached = parameters.resourceVersion === '0' ? undefined : parameters.resourceVersion;
  }

  /** What the engine refuses at once is thrown, and answered like any failure; what comes later becomes an ERROR event. */
  async run(events: AsyncIterable<readonly WatchEvent[]>): Promise<void> {
    const iterator = events[Symbol.asyncIterator]();
    const first = iterator.next();
    try {
      await Promise.race([first, turn()]);
      this.begin();
      for (let next = await first; next.done !== true; next = await iterator.next()) await this.send(next.value);
      this.end();
    } catch (error) {
      if (this.exchange.signal.reason instanceof StreamEnd) this.end();
      else if (this.exchange.response.headersSent) this.fail(error);
      else throw error;
    } finally {
      await iterator.return?.().catch(() => {});
    }
  }

  private begin(): void {
    sendHead(this.exchange, 200, 'application/json');
    this.exchange.response.flushHeaders();
  }

  private async send(batch: readonly WatchEvent[]): Promise<void> {
    const { response } = this.exchange;
    let room = true;
    // Node writes in one piece what is written in one turn; corking the response by hand would lose its "drain" event.
    for (const event of batch) {
      room = response.write(this.frames.frame(event, this.view));
      this.reached = event.served.resourceVersion;
    }
    if (!room) await drained(this.exchange, this.limits);
  }

  private end(): void {
    const { response } = this.exchange;
    if (!response.headersSent) this.begin();
    if (this.bookmarks && this.reached !== undefined) response.write(bookmarkFrame(this.view, this.reached));
    response.end();
  }

  private fail(error: unknown): void {
    const { response, requestId, info } = this.exchange;
    if (response.destroyed) return;
    const failure = publicError(error, requestId);
    this.exchange.errorCode = failure.code;
    response.write(errorFrame(failureStatus(failure, info)));
    response.end();
  }
}

import { setImmediate as turn } from 'node:timers/promises';
import type { WatchEvent, WatchQuery } from '../../ports/engine.js';
import type { Exchange } from '../request/exchange.js';
import { narrowedSelectors, resourceVersionParameter, selectorParameters } from '../request/list-parameters.js';
import { viewOf, type ObjectCall } from '../objects/object-reads.js';
import type { View } from '../answer/object-view.js';
import { choiceParameter, countParameter, flagParameter, invalid } from '../request/query-parameters.js';
import { reachedWith } from './reached.js';
import type { StreamLimits } from './slow-reader.js';
import { endOfStream, StreamEnd } from './stream-pace.js';
import { failureStatus, publicError } from '../answer/status.js';
import { bookmarkFrame, errorFrame, type WatchFrame, type WatchFrames } from './watch-frames.js';
import { AnswerOutlet, type WatchOutlet } from './watch-outlet.js';

export interface WatchLimits extends StreamLimits {
  /** Returns a number between 0 and 1, to spread the ends of watches, so that clients do not reconnect all at once. */
  readonly random: () => number;
}

type WatchParameters = Omit<WatchQuery, 'target' | 'signal'>;

const timeoutSecondsDefault = 1800;
const timeoutSecondsMax = 86_400;

/** Answers `GET …?watch=true`: events as lines of JSON, until the client disconnects, the time is over, or the platform shuts down. */
export function watchObjects(call: ObjectCall, frames: WatchFrames, limits: WatchLimits): Promise<void> {
  return streamEvents(call, frames, limits, new AnswerOutlet(call.exchange, limits));
}

/** Streams the events that a request selects to an outlet. */
export async function streamEvents(call: ObjectCall, frames: WatchFrames, limits: WatchLimits, outlet: WatchOutlet): Promise<void> {
  const { exchange, engine, target } = call;
  const view = viewOf(call);
  const parameters = narrowedSelectors(watchParameters(exchange.query), exchange.narrowed);
  const requested = countParameter(exchange.query, 'timeoutSeconds', timeoutSecondsMax);
  const timeoutMs = 1000 * (requested || timeoutSecondsDefault * (1 + limits.random()));
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
  const hasInitialParameter = query.has('sendInitialEvents');
  if (match !== undefined && !hasInitialParameter) throw invalid('resourceVersionMatch', 'forbidden for a watch without sendInitialEvents');
  if (hasInitialParameter && match === undefined) throw invalid('resourceVersionMatch', 'expected NotOlderThan beside sendInitialEvents');
  return {
    ...selectorParameters(query),
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(hasInitialParameter && { sendInitialEvents: flagParameter(query, 'sendInitialEvents') }),
    bookmarks: flagParameter(query, 'allowWatchBookmarks'),
  };
}

class EventStream {
  readonly #exchange: Exchange;
  readonly #view: View;
  readonly #frames: WatchFrames;
  readonly #outlet: WatchOutlet;
  readonly #bookmarks: boolean;
  /** Version up to which the client has everything; undefined until the initial events are sent, or the first event of one from "now". */
  #reached: string | undefined;

  constructor(exchange: Exchange, view: View, frames: WatchFrames, outlet: WatchOutlet, parameters: WatchParameters) {
    this.#exchange = exchange;
    this.#view = view;
    this.#frames = frames;
    this.#outlet = outlet;
    this.#bookmarks = parameters.bookmarks;
    const { resourceVersion, sendInitialEvents } = parameters;
    this.#reached = sendInitialEvents || resourceVersion === '0' ? undefined : resourceVersion;
  }

  /** Sends the events. Errors that the engine raises at once are thrown and answered as usual; later ones become an ERROR event. */
  async run(events: AsyncIterable<readonly WatchEvent[]>): Promise<void> {
    const iterator = events[Symbol.asyncIterator]();
    const first = iterator.next();
    try {
      await Promise.race([first, turn()]);
      await this.#outlet.begin();
      for (let next = await first; next.done !== true; next = await iterator.next()) {
        // No promise per event: it would cost as much as sending.
        if (!this.#send(next.value)) await this.#outlet.drained();
      }
      await this.#end();
    } catch (error) {
      if (this.#exchange.signal.reason instanceof StreamEnd) await this.#end();
      else if (this.#outlet.hasBegun) this.#fail(error);
      else throw error;
    } finally {
      await iterator.return?.().catch(() => {});
    }
  }

  /** Returns false when the client must catch up first. */
  #send(batch: readonly WatchEvent[]): boolean {
    const frames: WatchFrame[] = [];
    for (const event of batch) frames.push(this.#frames.frame(event, this.#view));
    const last = batch.at(-1);
    if (last !== undefined) this.#reached = reachedWith(last);
    return this.#outlet.write(frames);
  }

  async #end(): Promise<void> {
    if (!this.#outlet.hasBegun) await this.#outlet.begin();
    if (this.#bookmarks && this.#reached !== undefined) this.#outlet.write([bookmarkFrame(this.#view, this.#reached)]);
    this.#outlet.end();
  }

  #fail(error: unknown): void {
    const { requestId, info } = this.#exchange;
    const failure = publicError(error, requestId);
    this.#exchange.errorCode = failure.code;
    this.#outlet.write([errorFrame(failureStatus(failure, info))]);
    this.#outlet.end();
  }
}

import { isTapError, type Awaitable, type Clock, type Identity } from '@tappaas/sdk';
import { credentialsOf } from '../request/credentials.js';
import type { Exchange } from '../request/exchange.js';
import type { Authenticate } from '../stages.js';
import { endOfStream, type StreamEndReason } from './stream-pace.js';

/** With the 5 s that an answer is remembered for and the second of the sweep, this makes the promised 10 s. */
const everyMs = 4000;

/**
 * Asks again who is behind the streams that are open, and whether they still may what they began: one whose credential is no longer good,
 * means somebody else by now, or has lost its rights, ends in order. What cannot be found out, because what verifies it does not answer,
 * ends nothing.
 */
export class StreamCredentials {
  readonly #authenticate: Authenticate;
  readonly #isStillAllowed: (exchange: Exchange) => Awaitable<boolean>;
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** When each was asked about, or that it is being asked about. */
  readonly #asked = new WeakMap<Exchange, number>();

  constructor(authenticate: Authenticate, isStillAllowed: (exchange: Exchange) => Awaitable<boolean>, clock: Pick<Clock, 'nowMs'>) {
    this.#authenticate = authenticate;
    this.#isStillAllowed = isStillAllowed;
    this.#clock = clock;
  }

  /** Looks at one exchange, when it is a stream and its turn has come. */
  async check(exchange: Exchange): Promise<void> {
    const { identity } = exchange;
    if (!exchange.isStream || identity === undefined || this.#clock.nowMs() < this.#dueAtMs(exchange)) return;
    this.#asked.set(exchange, Infinity);
    const reason = await this.#endOf(exchange, identity);
    this.#asked.set(exchange, this.#clock.nowMs());
    if (reason !== undefined) exchange.abort(endOfStream(reason));
  }

  #dueAtMs(exchange: Exchange): number {
    return (this.#asked.get(exchange) ?? exchange.receivedAtMs) + everyMs;
  }

  /** Why the stream is over, if it is. */
  async #endOf(exchange: Exchange, before: Identity): Promise<StreamEndReason | undefined> {
    if (!(await isGood(() => this.#isSame(exchange, before)))) return 'credential';
    return (await isGood(() => this.#isStillAllowed(exchange))) ? undefined : 'access';
  }

  async #isSame({ request }: Exchange, before: Identity): Promise<boolean> {
    const now = await this.#authenticate(credentialsOf(request));
    return now === before || (now !== undefined && JSON.stringify(now.caller) === JSON.stringify(before.caller));
  }
}

/** What fails for another reason than the caller is no answer. */
async function isGood(ask: () => Awaitable<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    return !(isTapError(error) && error.spec.blame === 'caller');
  }
}

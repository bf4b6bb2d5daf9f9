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
  readonly #askedAtMs = new WeakMap<Exchange, number>();
  readonly #asking = new WeakSet<Exchange>();

  constructor(authenticate: Authenticate, isStillAllowed: (exchange: Exchange) => Awaitable<boolean>, clock: Pick<Clock, 'nowMs'>) {
    this.#authenticate = authenticate;
    this.#isStillAllowed = isStillAllowed;
    this.#clock = clock;
  }

  /** Looks at one exchange, when it is a stream and its turn has come. */
  async check(exchange: Exchange): Promise<void> {
    const { identity } = exchange;
    if (!exchange.isStream || identity === undefined || this.#asking.has(exchange) || !this.#isDue(exchange)) return;
    this.#asking.add(exchange);
    const reason = await this.#endOf(exchange, identity);
    this.#asking.delete(exchange);
    this.#askedAtMs.set(exchange, this.#clock.nowMs());
    if (reason !== undefined) exchange.abort(endOfStream(reason));
  }

  /** An answer from later than now is one from before the clock was set back, and nobody knows how old it is. */
  #isDue(exchange: Exchange): boolean {
    const ageMs = this.#clock.nowMs() - (this.#askedAtMs.get(exchange) ?? exchange.receivedAtMs);
    return ageMs >= everyMs || ageMs < 0;
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

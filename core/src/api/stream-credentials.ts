import { isTapError, type Clock, type Identity } from '@tappaas/sdk';
import { credentialsOf } from './credentials.js';
import type { Exchange } from './exchange.js';
import type { Authenticate } from './stages.js';
import { endOfStream } from './stream-pace.js';

/** With the 5 s that an answer is remembered for and the second of the sweep, this makes the promised 10 s. */
const everyMs = 4000;

/**
 * Asks again who is behind the streams that are open: one whose credential is no longer good, or means somebody else by now, ends in
 * order. What cannot be found out, because what verifies it does not answer, ends nothing.
 */
export class StreamCredentials {
  readonly #authenticate: Authenticate;
  readonly #clock: Pick<Clock, 'nowMs'>;
  /** When each was asked about, or that it is being asked about. */
  readonly #asked = new WeakMap<Exchange, number>();

  constructor(authenticate: Authenticate, clock: Pick<Clock, 'nowMs'>) {
    this.#authenticate = authenticate;
    this.#clock = clock;
  }

  /** Looks at one exchange, when it is a stream and its turn has come. */
  async check(exchange: Exchange): Promise<void> {
    const { identity } = exchange;
    if (!exchange.isStream || identity === undefined || this.#clock.nowMs() < this.#dueAtMs(exchange)) return;
    this.#asked.set(exchange, Infinity);
    const isGood = await this.#isGood(exchange, identity);
    this.#asked.set(exchange, this.#clock.nowMs());
    if (!isGood) exchange.abort(endOfStream('credential'));
  }

  #dueAtMs(exchange: Exchange): number {
    return (this.#asked.get(exchange) ?? exchange.receivedAtMs) + everyMs;
  }

  async #isGood({ request }: Exchange, before: Identity): Promise<boolean> {
    try {
      const now = await this.#authenticate(credentialsOf(request));
      return now === before || (now !== undefined && JSON.stringify(now.caller) === JSON.stringify(before.caller));
    } catch (error) {
      return !(isTapError(error) && error.spec.blame === 'caller');
    }
  }
}

import { isTapError, type Awaitable, type Clock, type Identity } from '@tappaas/sdk';
import { credentialsOf } from '../request/credentials.js';
import type { Exchange } from '../request/exchange.js';
import type { Authenticate } from '../stages.js';
import { endOfStream, type StreamEndReason } from './stream-pace.js';

/** With the 5 s that decisions are cached and the sweep's second, this keeps the promised 10 s. */
const everyMs = 4000;

/**
 * Repeats authentication and authorization of open streams. A stream ends in order when its credential became invalid, identifies another
 * caller, or lost access. Failures of the verifier itself end nothing.
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

  /** Checks one exchange if it is a stream and due. */
  async check(exchange: Exchange): Promise<void> {
    const { identity } = exchange;
    if (!exchange.isStream || identity === undefined || this.#asking.has(exchange) || !this.#isDue(exchange)) return;
    this.#asking.add(exchange);
    const reason = await this.#endOf(exchange, identity);
    this.#asking.delete(exchange);
    this.#askedAtMs.set(exchange, this.#clock.nowMs());
    if (reason !== undefined) exchange.abort(endOfStream(reason));
  }

  /** A negative age means that the clock was set back: the real age is unknown, so the check is due. */
  #isDue(exchange: Exchange): boolean {
    const ageMs = this.#clock.nowMs() - (this.#askedAtMs.get(exchange) ?? exchange.receivedAtMs);
    return ageMs >= everyMs || ageMs < 0;
  }

  /** Returns why the stream must end, if it must. */
  async #endOf(exchange: Exchange, before: Identity): Promise<StreamEndReason | undefined> {
    if (!(await isGood(() => this.#isSame(exchange, before)))) return 'credential';
    return (await isGood(() => this.#isStillAllowed(exchange))) ? undefined : 'access';
  }

  async #isSame({ request }: Exchange, before: Identity): Promise<boolean> {
    const now = await this.#authenticate(credentialsOf(request));
    return now === before || (now !== undefined && JSON.stringify(now.caller) === JSON.stringify(before.caller));
  }
}

/** Treats errors that are not the caller's fault as a pass: they say nothing about the caller. */
async function isGood(ask: () => Awaitable<boolean>): Promise<boolean> {
  try {
    return await ask();
  } catch (error) {
    return !(isTapError(error) && error.spec.blame === 'caller');
  }
}

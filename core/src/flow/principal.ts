import { TokenBucket, type Rate } from './token-bucket.js';
import { WaitingLine } from './waiting-line.js';

const usersMax = 1_000;

/** The rates of a principal; `user` holds for each of its users, and is absent for a user who has no tenant. */
export interface PrincipalRates {
  readonly own: Rate;
  readonly user?: Rate;
}

/** A tenant, or a user who has none: what it has taken, and who of it waits. */
export class Principal {
  readonly name: string;
  /** Names its policy in the headers. */
  readonly what: 'tenant' | 'user';
  readonly line = new WaitingLine();
  readonly bucket: TokenBucket;
  readonly #users = new Map<string, TokenBucket>();
  #rates: PrincipalRates;
  taken = 0;
  /** When it is next, in the turns of its level. */
  turn = 0;
  /** Its rates were looked up then. */
  readAtMs: number;
  isForgotten = false;

  constructor(what: 'tenant' | 'user', name: string, rates: PrincipalRates, nowMs: number) {
    this.what = what;
    this.name = name;
    this.#rates = rates;
    this.bucket = new TokenBucket(rates.own, nowMs);
    this.readAtMs = nowMs;
  }

  change(rates: PrincipalRates, nowMs: number): void {
    this.readAtMs = nowMs;
    const { own, user } = this.#rates;
    if (own.perSecond !== rates.own.perSecond || own.burst !== rates.own.burst) this.bucket.change(rates.own, nowMs);
    if (user?.perSecond !== rates.user?.perSecond || user?.burst !== rates.user?.burst) this.#users.clear();
    this.#rates = rates;
  }

  /** Says whether there is a unit for the user. */
  hasUnit(user: string, nowMs: number): boolean {
    this.bucket.refill(nowMs);
    return this.bucket.units >= 1 && (this.#rates.user === undefined || this.userBucket(user, this.#rates.user, nowMs).units >= 1);
  }

  takeUnit(user: string, nowMs: number): void {
    this.bucket.take();
    if (this.#rates.user !== undefined) this.userBucket(user, this.#rates.user, nowMs).take();
  }

  /** How long somebody who joins the line now would wait for a unit. */
  unitsWaitMs(user: string, nowMs: number): number {
    this.bucket.refill(nowMs);
    const own = this.bucket.waitMs(this.line.size + 1);
    return this.#rates.user === undefined ? own : Math.max(own, this.userBucket(user, this.#rates.user, nowMs).waitMs(1));
  }

  /**
   * What is left, as headers.
   *
   * @source https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
   */
  headers(user: string, nowMs: number): Readonly<Record<string, string>> {
    const own = standing(this.what, this.bucket);
    if (this.#rates.user === undefined) return { 'RateLimit-Policy': own.policy, RateLimit: own.left };
    const mine = standing('user', this.userBucket(user, this.#rates.user, nowMs));
    return { 'RateLimit-Policy': `${own.policy}, ${mine.policy}`, RateLimit: `${own.left}, ${mine.left}` };
  }

  /** Nothing would be lost with it. */
  get isIdle(): boolean {
    return this.taken === 0 && this.line.size === 0 && this.bucket.units >= this.bucket.rate.burst;
  }

  private userBucket(user: string, rate: Rate, nowMs: number): TokenBucket {
    const known = this.#users.get(user);
    known?.refill(nowMs);
    if (known !== undefined) return known;
    const oldest = this.#users.size >= usersMax ? this.#users.keys().next().value : undefined;
    if (oldest !== undefined) this.#users.delete(oldest);
    const made = new TokenBucket(rate, nowMs);
    this.#users.set(user, made);
    return made;
  }
}

function standing(what: string, { rate, units, fullInSeconds }: TokenBucket): { readonly policy: string; readonly left: string } {
  return {
    policy: `"${what}";q=${rate.burst};w=${Math.ceil(rate.burst / rate.perSecond)}`,
    left: `"${what}";r=${Math.max(0, units)};t=${fullInSeconds}`,
  };
}

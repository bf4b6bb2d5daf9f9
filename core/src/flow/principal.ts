import type { Allowances, Bucket, Seats } from './bucket.js';
import { Overdrafts } from './overdrafts.js';
import { HeavyParty } from './heavy-party.js';
import { PolicyText } from './policy-text.js';
import type { Party } from './priority-level.js';
import type { Rate } from './token-bucket.js';
import { WaitingLine } from './waiting-line.js';

const usersMax = 1_000;
/** The key of the principal's own debt; no user has this name. */
const ownOverdraft = '';

/** The rates of a principal; `user` applies to each of its users, and is absent when the principal is a user without a tenant. */
export interface PrincipalRates {
  readonly own: Rate;
  readonly user?: Rate;
}

/** The identity of a principal. */
export interface PrincipalName {
  /** Unique among all principals. */
  readonly key: string;
  /** The name of its policy in response headers. */
  readonly what: 'tenant' | 'user';
  readonly name: string;
}

/** A tenant, or a user without one: its usage and its waiting requests. */
export class Principal implements Party {
  readonly id: PrincipalName;
  readonly line = new WaitingLine();
  readonly bucket: Bucket;
  readonly seats: Seats;
  readonly heavy = new HeavyParty(this);
  readonly #allowances: Allowances;
  /** Debts by user; the key `''` is the principal's own. */
  readonly #overdrafts = new Overdrafts(usersMax);
  readonly #users = new Map<string, Bucket>();
  readonly #ownPolicy: PolicyText;
  readonly #userPolicy = new PolicyText('user');
  #rates: PrincipalRates;
  /** Its position in the turns of its level. */
  turn = 0;
  /** When its rates were last looked up. */
  readAtMs: number;
  #isDropped = false;

  constructor(id: PrincipalName, rates: PrincipalRates, seatsMax: number, allowances: Allowances, nowMs: number) {
    this.id = id;
    this.#ownPolicy = new PolicyText(id.what);
    this.#rates = rates;
    this.#allowances = allowances;
    this.bucket = allowances.rate(`rate ${id.key}`, rates.own, nowMs);
    this.seats = allowances.seats(`seats ${id.key}`, seatsMax, false);
    this.readAtMs = nowMs;
  }

  get isForgotten(): boolean {
    return this.#isDropped || this.bucket.isForgotten || this.seats.isForgotten;
  }

  drop(): void {
    this.#isDropped = true;
  }

  change(rates: PrincipalRates, nowMs: number): void {
    this.readAtMs = nowMs;
    const { user } = this.#rates;
    this.bucket.change(rates.own, nowMs);
    if (user?.perSecond !== rates.user?.perSecond || user?.burst !== rates.user?.burst) this.#users.clear();
    this.#rates = rates;
  }

  /** Whether there is a unit for the user. */
  hasUnit(user: string, nowMs: number): boolean {
    this.bucket.refill(nowMs);
    const mine = this.#rates.user === undefined ? undefined : this.#userBucket(user, this.#rates.user, nowMs);
    if (!this.#overdrafts.isEmpty && !this.#pays(user, mine)) return false;
    return this.bucket.units >= 1 && (mine === undefined || mine.units >= 1);
  }

  #pays(user: string, mine: Bucket | undefined): boolean {
    const paysOwn = this.#overdrafts.pay(ownOverdraft, this.bucket);
    return (mine === undefined || this.#overdrafts.pay(user, mine)) && paysOwn;
  }

  /** Takes units: the first must be available; further ones that are missing become debt. */
  takeUnits(user: string, nowMs: number, units: number): void {
    const mine = this.#rates.user === undefined ? undefined : this.#userBucket(user, this.#rates.user, nowMs);
    if (units === 1 && this.#overdrafts.isEmpty) {
      this.bucket.take();
      mine?.take();
      return;
    }
    this.#overdrafts.add(ownOverdraft, units);
    if (mine !== undefined) this.#overdrafts.add(user, units);
    this.#pays(user, mine);
  }

  /** Asks other processes for units and seats that they do not need, for the waiting requests. */
  want(nowMs: number, users: Iterable<string> = this.line.users): void {
    if (!this.#allowances.isShared) return;
    const waiting = this.line.size;
    if (!this.seats.isFree && waiting > 0) this.seats.want(waiting);
    if (this.bucket.units < 1) this.bucket.want(this.#missing(ownOverdraft, waiting));
    if (this.#rates.user === undefined) return;
    for (const user of users) {
      const mine = this.#userBucket(user, this.#rates.user, nowMs);
      if (mine.units < 1) mine.want(this.#missing(user, this.line.sizeOf(user)));
    }
  }

  /** The debt plus one unit for each waiter; heavy requests wait one at a time. */
  #missing(principal: string, waiting: number): number {
    return this.#overdrafts.of(principal) + Math.max(1, waiting);
  }

  /** How long a request would wait for a unit behind `others` requests of other users and `own` requests of the same user. */
  unitsWaitMs(user: string, nowMs: number, others: number, own: number): number {
    this.bucket.refill(nowMs);
    const ownMs = this.bucket.waitMs(this.#overdrafts.of(ownOverdraft) + others + own + 1);
    if (this.#rates.user === undefined) return ownMs;
    return Math.max(ownMs, this.#userBucket(user, this.#rates.user, nowMs).waitMs(this.#overdrafts.of(user) + own + 1));
  }

  /**
   * The remaining allowance, as response headers.
   *
   * @source https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/
   */
  headers(user: string, nowMs: number): Readonly<Record<string, string>> {
    const ownPolicy = this.#ownPolicy.of(this.bucket.rate);
    const ownLeft = leftText(this.id.what, this.bucket);
    if (this.#rates.user === undefined) return { 'RateLimit-Policy': ownPolicy, RateLimit: ownLeft };
    const mine = this.#userBucket(user, this.#rates.user, nowMs);
    return {
      'RateLimit-Policy': `${ownPolicy}, ${this.#userPolicy.of(mine.rate)}`,
      RateLimit: `${ownLeft}, ${leftText('user', mine)}`,
    };
  }

  /** Whether the principal can be dropped without losing any state. */
  get isIdle(): boolean {
    return this.seats.isIdle && this.line.size === 0 && this.bucket.isIdle && this.#overdrafts.isEmpty;
  }

  #userBucket(user: string, rate: Rate, nowMs: number): Bucket {
    const known = this.#users.get(user);
    known?.refill(nowMs);
    if (known !== undefined && !known.isForgotten) return known;
    const oldest = this.#users.size >= usersMax ? this.#users.keys().next().value : undefined;
    if (oldest !== undefined) this.#users.delete(oldest);
    const made = this.#allowances.rate(`rate ${this.id.key}\n${user}`, rate, nowMs);
    this.#users.set(user, made);
    return made;
  }
}

function leftText(what: string, { left, fullInSeconds }: Bucket): string {
  return `"${what}";r=${Math.max(0, left)};t=${fullInSeconds}`;
}

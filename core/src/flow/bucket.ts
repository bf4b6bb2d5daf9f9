import type { Rate } from './token-bucket.js';

/** What may be asked for at a rate, as far as this process gives it. */
export interface Bucket {
  readonly rate: Rate;
  /** Nothing would be lost with it. */
  readonly isIdle: boolean;
  /** Another one is to be had in its place. */
  readonly isForgotten: boolean;
  /** Whole units that can be taken here and now; as of the last refill. */
  readonly units: number;
  /** Whole units that are left wherever they are asked for; as of the last refill. */
  readonly left: number;
  /** Whole seconds until it is full. */
  readonly fullInSeconds: number;
  /** Told whenever the rate was looked up, the same or another; what was taken stays taken. */
  change(rate: Rate, nowMs: number): void;
  refill(nowMs: number): void;
  take(): void;
  /** So many wait for a unit. */
  want(units: number): void;
  /** How long until `units` are there, when nobody takes any meanwhile. */
  waitMs(units: number): number;
}

/** Places that are held and given back, as far as this process gives them. */
export interface Seats {
  readonly isIdle: boolean;
  readonly isForgotten: boolean;
  /** Places that are held here. */
  readonly used: number;
  readonly max: number;
  /** One may be had now. */
  readonly isFree: boolean;
  /** Takes one that is free. */
  take(): void;
  give(): void;
  /** So many wait for one. */
  want(seats: number): void;
  /** Takes one, if there is one wherever it lies. */
  obtain(): boolean | Promise<boolean>;
}

/** Where buckets and places come from: of this process alone, or as its share of what several have together. The same key is the same limit. */
export interface Allowances {
  /** There may be more elsewhere, for who says that it waits. */
  readonly isShared: boolean;
  rate(key: string, rate: Rate, nowMs: number): Bucket;
  /** `isStrict`: none is given before all processes were asked, so that there are as many as there may be wherever they are asked for. */
  seats(key: string, max: number, isStrict: boolean): Seats;
  /** Hears that there may be room now for who waits. */
  onMore(listener: () => void): void;
}

import type { Rate } from './token-bucket.js';

/** A token bucket, or this process's share of one. */
export interface Bucket {
  readonly rate: Rate;
  /** Whether the bucket can be dropped without losing any state. */
  readonly isIdle: boolean;
  /** Whether the bucket was dropped and must be replaced by a new one. */
  readonly isForgotten: boolean;
  /** Whole units that can be taken in this process; as of the last refill. */
  readonly units: number;
  /** Whole units left in all processes together; as of the last refill. */
  readonly left: number;
  /** Whole seconds until the bucket is full. */
  readonly fullInSeconds: number;
  /** Called whenever the rate was looked up, changed or not; units already taken stay taken. */
  change(rate: Rate, nowMs: number): void;
  refill(nowMs: number): void;
  take(): void;
  /** Reports how many units waiting requests need. */
  want(units: number): void;
  /** How long until `units` are available, if none are taken meanwhile. */
  waitMs(units: number): number;
}

/** Seats that are taken and returned, or this process's share of them. */
export interface Seats {
  readonly isIdle: boolean;
  readonly isForgotten: boolean;
  /** Seats taken in this process. */
  readonly used: number;
  readonly max: number;
  /** Whether a seat can be taken now. */
  readonly isFree: boolean;
  /** Takes a free seat. */
  take(): void;
  give(): void;
  /** Reports how many requests wait for a seat. */
  want(seats: number): void;
  /** Takes a seat from this process or another; false if there is none. */
  obtain(): boolean | Promise<boolean>;
}

/** Source of buckets and seats: for this process alone, or as its share of limits of several processes. Equal keys share a limit. */
export interface Allowances {
  /** Whether other processes may have more, for a process that reports waiting requests. */
  readonly isShared: boolean;
  rate(key: string, rate: Rate, nowMs: number): Bucket;
  /** `isStrict`: no seat is granted before all processes were asked, so that all `max` seats are available to any process. */
  seats(key: string, max: number, isStrict: boolean): Seats;
  /** Registers a listener that is called when there may be room for waiting requests. */
  onMore(listener: () => void): void;
}

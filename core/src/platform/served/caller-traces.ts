import type { Caller, Clock } from '@tappaas/sdk';
import { TokenBucket } from '../../flow/token-bucket.js';

/** Maximum number of tracked callers; the least recently used is dropped first, and then starts with a fresh allowance. */
const callersMax = 4_096;
/** Seconds of the rate that are available at once after a pause. */
const burstSeconds = 10;

/**
 * Makes the check whether a trace requested by a caller is recorded: a rate per caller, with a burst of ten seconds. Recording spans has a
 * cost that the sender of the header imposes on others; the flag is only a hint, which a service may ignore at a trust boundary.
 *
 * @source W3C Trace Context, https://www.w3.org/TR/trace-context/#sampled-flag and its section on denial of service
 */
export function callerTraces(perSecond: number, clock: Pick<Clock, 'nowMs'>): (caller: Caller) => boolean {
  const buckets = new Map<string, TokenBucket>();
  const rate = { perSecond, burst: Math.max(1, perSecond * burstSeconds) };
  return ({ tenant = '', name }) => {
    if (perSecond === 0) return false;
    const nowMs = clock.nowMs();
    const key = `${tenant}\n${name}`;
    const bucket = buckets.get(key) ?? new TokenBucket(rate, nowMs);
    buckets.delete(key);
    buckets.set(key, bucket);
    const [oldest] = buckets.keys();
    if (buckets.size > callersMax && oldest !== undefined) buckets.delete(oldest);
    bucket.refill(nowMs);
    if (bucket.units < 1) return false;
    bucket.take();
    return true;
  };
}

import type { Caller, Clock } from '@tappaas/sdk';
import { TokenBucket } from '../../flow/token-bucket.js';

/** Maximum number of remembered callers; the least recent one is dropped first, and starts with a fresh allowance. */
const callersMax = 4_096;
/** After a pause. */
const burstSeconds = 10;

/**
 * Whether a trace that a caller asks for is kept: so many a second of each, and ten times as many at once. Spans cost whoever keeps them,
 * and who sends the header decides for others; the flag is a hint that a service on the border of another's may leave aside.
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

const mebibyte = 1024 * 1024;
/** A small heap would otherwise be collected every few seconds, and a full collection delays what is being served. */
const garbageBytesMin = 64 * mebibyte;
const percentMin = 50;
/** What V8 does by itself with plenty of memory. */
const percentMax = 300;

/**
 * Returns how much garbage may accumulate before a full collection, in percent of the live data: 64 MiB, or half of the live data where
 * that is more. V8's own three times would let a platform with 10,000 applications exceed its memory target (docs/decisions/0092, 0320).
 */
export function growthPercent(liveBytes: number): number {
  const percent = Math.round((garbageBytesMin / liveBytes) * 100);
  return Math.min(percentMax, Math.max(percentMin, percent));
}

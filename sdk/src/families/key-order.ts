const highUnit = /[\ud800-\uffff]/;

/**
 * Compares keys as every store does: by the bytes of their UTF-8 form.
 *
 * JavaScript's own order differs from that only between surrogates and characters from U+E000 on.
 */
export function compareKeys(left: string, right: string): number {
  if (left === right) return 0;
  if (highUnit.test(left) && highUnit.test(right)) return compareCodePoints(left, right);
  return left < right ? -1 : 1;
}

function compareCodePoints(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let at = 0; at < length; at++) {
    const a = left.charCodeAt(at);
    const b = right.charCodeAt(at);
    if (a !== b) return aboveSurrogates(a) - aboveSurrogates(b);
  }
  return left.length - right.length;
}

/** Moves surrogates above the rest of the basic plane, where the code points they encode belong. */
function aboveSurrogates(unit: number): number {
  return unit >= 0xd800 && unit <= 0xdfff ? unit + 0x10000 : unit;
}

/**
 * The first key after all keys that start with `prefix`, for the `end` of a range or watch.
 *
 * @example
 * ```ts
 * await store.range({ start: '/registry/pods/', end: keyAfterPrefix('/registry/pods/'), itemsMax: 500 });
 * ```
 */
export function keyAfterPrefix(prefix: string): string {
  return `${prefix}\u{10ffff}`;
}

/** Returns a test whether keys lie in an interval, start included and end excluded. It is fast for prefixes, the usual intervals. */
export function keysBetween(start: string, end: string): (key: string) => boolean {
  if (end === keyAfterPrefix(start)) return (key) => key.startsWith(start);
  return (key) => compareKeys(start, key) <= 0 && compareKeys(key, end) < 0;
}

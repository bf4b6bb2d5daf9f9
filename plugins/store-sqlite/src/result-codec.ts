import type { KeyValue } from '@tappaas/sdk';
import type { WireResult, WireStamp } from './protocol.js';

/** Results as one flat list of numbers; results that do not fit it are included as objects. */
export interface EncodedResults {
  /** For a completed transaction: its revision, the number of its stamps, two numbers per stamp. For any other result: −1. */
  readonly numbers: Float64Array<ArrayBuffer>;
  readonly others: readonly WireResult[];
  /** The previous state for each stamp in order, if a watch requested it. */
  readonly previous: readonly (KeyValue | undefined)[] | undefined;
}

export function encodeResults(results: readonly WireResult[]): EncodedResults {
  const numbers: number[] = [];
  const others: WireResult[] = [];
  const previous: (KeyValue | undefined)[] = [];
  for (const result of results) {
    if (result.kind !== 'done') {
      numbers.push(-1);
      others.push(result);
      continue;
    }
    numbers.push(result.revision, result.stamps.length);
    for (const stamp of result.stamps) {
      numbers.push(stamp.createRevision, stamp.version);
      previous.push(stamp.previous);
    }
  }
  const hasPrevious = previous.some((found) => found !== undefined);
  return { numbers: new Float64Array(numbers), others, previous: hasPrevious ? previous : undefined };
}

export function decodeResults({ numbers, others, previous }: EncodedResults): readonly WireResult[] {
  const results: WireResult[] = [];
  let other = 0;
  let before = 0;
  for (let at = 0; at < numbers.length;) {
    const revision = numbers[at++] as number;
    if (revision < 0) {
      results.push(others[other++] as WireResult);
      continue;
    }
    const stamps: WireStamp[] = [];
    for (let left = numbers[at++] as number; left > 0; left--) {
      const [createRevision, version] = [numbers[at++] as number, numbers[at++] as number];
      const stood = previous?.[before++];
      stamps.push(stood === undefined ? { createRevision, version } : { createRevision, version, previous: stood });
    }
    results.push({ kind: 'done', revision, stamps });
  }
  return results;
}

import type { Case } from '../case.js';
import { answersOf, candidates } from './candidates.js';
import { broken, eachTap, type MakeScheduling, type SchedulingTap } from './harness.js';

const count = 500;
const int32Max = 2 ** 31 - 1;
const events: ReadonlySet<string> = new Set(['node-added', 'node-changed', 'pod-deleted', 'column-changed']);

/** The range and form of a tap's results. */
export function answers(make: MakeScheduling): readonly Case[] {
  return [
    eachTap('a filter accepts with 0 or refuses with the number of one of its reasons', make, (tap, pod) => {
      if (tap.reasons === undefined) return;
      const reasonsMax = tap.reasons.length;
      const wrong = answersOf(tap, pod, candidates(tap, count), count).find((answer) => answer < 0 || answer > reasonsMax);
      if (wrong !== undefined) broken(tap, `expected 0 to ${reasonsMax}, found ${wrong}`);
    }),
    eachTap('every reason of a filter has a message and says which changes are worth a retry', make, (tap) => {
      for (const { message, retryOn } of tap.reasons ?? []) {
        if (message.trim() === '') broken(tap, 'a reason has no message');
        const unknown = retryOn.find((event) => !events.has(event));
        if (unknown !== undefined)
          broken(tap, `reason "${message}": expected one of ${[...events].join(', ')} in retryOn, found "${unknown}"`);
      }
    }),
    eachTap('a score in points answers 0 to 100', make, (tap, pod) => {
      if (tap.scale !== 'points') return;
      const wrong = answersOf(tap, pod, candidates(tap, count), count).find((answer) => answer < 0 || answer > 100);
      if (wrong !== undefined) broken(tap, `expected 0 to 100 points, found ${wrong}`);
    }),
    eachTap('every answer is a number that fits into 32 bits', make, (tap, pod) => {
      const wrong = written(tap, pod).find((answer) => !(Math.abs(answer) <= int32Max));
      if (wrong !== undefined) broken(tap, `expected a number of 32 bits, found ${wrong}`);
    }),
    eachTap('a tap answers at once and not with a promise', make, (tap, pod) => {
      const answer = tap.run({ pod, count: 1, out: new Int32Array(1), columns: candidates(tap, 1) });
      if (typeof answer === 'object' && answer !== null && 'then' in answer) broken(tap, 'it returned a promise');
    }),
    eachTap('a call without candidates does nothing', make, (tap, pod) => {
      answersOf(tap, pod, candidates(tap, 0), 0);
    }),
  ];
}

/** What the tap writes before conversion to 32-bit integers, which would turn NaN into 0. */
function written(tap: SchedulingTap, pod: Parameters<typeof answersOf>[1]): Float64Array {
  const out = new Float64Array(count);
  // The tap expects an Int32Array, which converts; at run time a Float64Array works the same without converting.
  tap.run({ pod, count, out: out as unknown as Int32Array, columns: candidates(tap, count) });
  return out;
}

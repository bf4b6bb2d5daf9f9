import type { Case } from '../case.js';
import { candidates } from './candidates.js';
import { broken, eachTap, type MakeScheduling } from './harness.js';

const count = 5000;
const deadlineMs = 20;
const attempts = 5;

/** A tap blocks the thread that serves everything else, and cannot be interrupted. */
export function costs(make: MakeScheduling): readonly Case[] {
  return [
    eachTap(`a call with ${count} candidates takes less than ${deadlineMs} ms`, make, (tap, pod) => {
      const columns = candidates(tap, count);
      let bestMs = Infinity;
      for (let attempt = 0; attempt < attempts; attempt++) {
        const out = new Int32Array(count);
        const startMs = performance.now();
        tap.run({ pod, count, out, columns });
        bestMs = Math.min(bestMs, performance.now() - startMs);
      }
      if (bestMs > deadlineMs) broken(tap, `${count} candidates took ${bestMs.toFixed(1)} ms, expected at most ${deadlineMs} ms`);
    }),
  ];
}

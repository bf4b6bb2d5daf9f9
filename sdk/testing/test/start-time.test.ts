import test from 'ava';
import { load, startTestKernel } from '@tappaas/testing';
import { replicaLimit } from './sample-plugins.ts';

const attempts = 15;
const startMsMax = 50;

// The best of several: the machine may be busy with other tests, and the first start loads the kernel.
test(`it starts in less than ${startMsMax} ms`, async (t) => {
  let bestMs = Infinity;
  for (let n = 0; n < attempts; n += 1) {
    const startMs = performance.now();
    const kernel = await startTestKernel({ plugins: [load(replicaLimit, { replicasMax: 2 })] });
    bestMs = Math.min(bestMs, performance.now() - startMs);
    await kernel.stop();
  }
  t.log(`${bestMs.toFixed(1)} ms`);
  t.true(bestMs < startMsMax, `the best start took ${bestMs.toFixed(1)} ms`);
});

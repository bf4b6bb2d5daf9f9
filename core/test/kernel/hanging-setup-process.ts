/** A process whose plugin never returns from setup; run by watchdog.test.ts, which ends it. */
import { definePlugin } from '@tappaas/sdk';
import { loadKernelFrom } from '../../dist/kernel/kernel.js';
import { systemClock } from '../../dist/platform/system-clock.js';
import { unused } from './fixture.ts';

let turns = 0;
const plugin = definePlugin({
  id: 'culprit',
  setup() {
    // The build runs setup once, too: only the second time hangs.
    turns += 1;
    while (turns > 1) turns += 1;
  },
});

await loadKernelFrom({
  plugins: [{ id: 'stuck', plugin }],
  clock: systemClock,
  random: Math.random,
  env: {},
  log: () => {},
  kernelVersion: '0.1.0',
  resourcesFor: () => unused,
  watchdog: true,
});

/** A process whose plugin loses an error in a timer and a rejection nobody handles; run by watchdog.test.ts. */
import { definePlugin } from '@tappaas/sdk';
import { loadKernelFrom } from '../../dist/kernel/kernel.js';
import { systemClock } from '../../dist/platform/system-clock.js';
import { unused } from './fixture.ts';

const plugin = definePlugin({
  id: 'careless',
  setup(host) {
    host.onStart(async () => {
      setTimeout(() => {
        throw new Error('lost in a timer');
      }, 5);
      void Promise.resolve().then(() => {
        throw new Error('lost in a promise');
      });
    });
  },
});

const kernel = await loadKernelFrom({
  plugins: [{ id: 'careless', plugin }],
  clock: systemClock,
  random: Math.random,
  env: {},
  log: () => {},
  kernelVersion: '0.1.0',
  resourcesFor: () => unused,
});
const tell = (error: unknown): void => void process.stdout.write(`${String(error)} of ${kernel.pluginOf(error) ?? 'nobody'}\n`);
process.on('uncaughtException', tell);
process.on('unhandledRejection', tell);
await kernel.start();
await new Promise((resolve) => setTimeout(resolve, 50));
await kernel.stop();

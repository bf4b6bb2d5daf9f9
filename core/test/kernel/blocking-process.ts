/** A process whose plugin blocks the event loop for two seconds, deep in asynchronous work; run by watchdog.test.ts. */
import { definePlugin, hooks, type Resources } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import { loadKernelFrom } from '../../dist/kernel/kernel.js';
import { systemClock } from '../../dist/platform/system-clock.js';
import { request, selector } from './fixture.ts';

function computeForever(ms: number): void {
  const endMs = performance.now() + ms;
  while (performance.now() < endMs);
}

const plugin = definePlugin({
  id: 'greedy',
  setup(host) {
    host.tap(hooks.admission.validate, { kinds: [Application] }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      computeForever(2000);
    });
  },
});

const innocent = definePlugin({
  id: 'innocent',
  setup: (host) =>
    host.tap(hooks.admission.validate, { kinds: [Application], timeoutMs: 300 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }),
});

const kernel = await loadKernelFrom({
  plugins: [
    { id: 'culprit', plugin },
    { id: 'innocent', plugin: innocent },
  ],
  clock: systemClock,
  random: Math.random,
  env: {},
  log: ({ level, message }) => void process.stdout.write(`${level} ${message}\n`),
  kernelVersion: '0.1.0',
  resourcesFor: () => ({}) as Resources,
  watchdog: true,
});
await kernel.start();
await new Promise((resolve) => setTimeout(resolve, 500));
process.stdout.write('before\n');
const { failures } = await kernel.hooks.gate(hooks.admission.validate, selector, request());
process.stdout.write(`after ${JSON.stringify(failures.map(({ plugin, error }) => [plugin, error.code]))}\n`);
await new Promise((resolve) => setTimeout(resolve, 200));
process.stdout.write(
  `${
    kernel.metrics
      .text()
      .split('\n')
      .find((line) => line.startsWith('tappaas_event_loop_blocked_seconds_total')) ?? ''
  }\n`,
);
const failed = kernel.plugins().map(({ id, breakers }) => `${id} ${breakers[0]?.failures ?? 0}`);
process.stdout.write(`breaker failures: ${failed.join(', ')}\n`);
if (process.argv[2] === 'stop') await kernel.stop();
else process.exit(0);

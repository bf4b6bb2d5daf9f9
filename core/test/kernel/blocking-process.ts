/**
 * A process whose plugin blocks the event loop, deep in asynchronous work, until the file of the second argument exists: watchdog.test.ts
 * makes it when it has read what the watchdog says.
 */
import { existsSync } from 'node:fs';
import { definePlugin, hooks, type Resources } from '@tappaas/sdk';
import { Application } from '@tappaas/sdk/kinds';
import { loadKernelFrom } from '../../dist/kernel/kernel.js';
import { systemClock } from '../../dist/platform/system-clock.js';
import { request, selector } from './fixture.ts';

const [, , how, reported = ''] = process.argv;

function computeForever(): void {
  while (!existsSync(reported));
}

const pause = () => new Promise((resolve) => setTimeout(resolve, 5));

const plugin = definePlugin({
  id: 'greedy',
  setup(host) {
    host.tap(hooks.admission.validate, { kinds: [Application] }, async () => {
      await pause();
      computeForever();
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
process.stdout.write('before\n');
const { failures } = await kernel.hooks.gate(hooks.admission.validate, selector, request());
process.stdout.write(`after ${JSON.stringify(failures.map(({ plugin, error }) => [plugin, error.code]))}\n`);
const counted = () =>
  kernel.metrics
    .text()
    .split('\n')
    .find((line) => line.startsWith('tappaas_event_loop_blocked_seconds_total{plugin="culprit"}'));
while (counted() === undefined) await pause();
process.stdout.write(`${counted()}\n`);
const failed = kernel.plugins().map(({ id, breakers }) => `${id} ${breakers[0]?.failures ?? 0}`);
process.stdout.write(`breaker failures: ${failed.join(', ')}\n`);
if (how === 'stop') await kernel.stop();
else process.exit(0);

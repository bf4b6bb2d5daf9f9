import assert from 'node:assert/strict';
import { definePlugin } from '@tappaas/sdk';
import { load } from '../../load.js';
import { patiently } from '../../patience.js';
import { hanging } from './disturbance.js';
import { askTaps, createReconciled } from './exercise.js';
import { loadOnly, onKernel, pluginCases, startWith, type MakePlugin } from './harness.js';
import { subjectsOf } from './subjects.js';

const minuteMs = 60_000;
/** On the kernel's clock, which moves during a stop only when that takes longer than a second of real time. */
const promptMs = 1_000;

const failing = definePlugin({
  id: 'conformance-fails-at-start',
  setup(host) {
    host.onStart(() => Promise.reject(new Error('this plugin fails on purpose')));
  },
});

/** Starting and stopping, in every order in which they may come. */
export const lifecycle = (make: MakePlugin) =>
  pluginCases(make, {
    'it starts, works for a minute and stops, and nothing is left open': async (harness) => {
      const kernel = await startWith(harness, { detectLeaks: true });
      await createReconciled(kernel, harness);
      await kernel.reconcileUntilSettled();
      const faults = await askTaps(kernel, harness);
      await kernel.advance(minuteMs);
      const { errors, leaks } = await kernel.stop();
      assert.deepEqual(faults, []);
      assert.deepEqual(errors, []);
      assert.deepEqual(leaks, []);
    },
    'stopping it twice is stopping it once': async (harness) => {
      const kernel = await startWith(harness);
      const [first, second] = await Promise.all([kernel.stop(), kernel.stop()]);
      assert.deepEqual(first.errors, []);
      assert.deepEqual(second.errors, []);
    },
    'it can be stopped without having been started': async (harness) => {
      const { kernel, clock } = await loadOnly(harness);
      const { errors } = await patiently(clock, kernel.stop());
      assert.deepEqual(errors, []);
    },
    'it stops cleanly when another plugin fails to start': async (harness) => {
      const { kernel, clock } = await loadOnly(harness, [load(failing)]);
      const error = await patiently(clock, kernel.start()).then(
        () => assert.fail('the plugin that fails on purpose has started'),
        (thrown: unknown) => thrown as Error,
      );
      const { errors } = await patiently(clock, kernel.stop());
      assert.match(error.message, /this plugin fails on purpose/);
      assert.deepEqual(errors, []);
    },
    'told to stop while its requests hang, it ends at once': async (harness) => {
      const over = new AbortController();
      const kernel = await startWith(harness, { wrapResources: hanging(over.signal) });
      await createReconciled(kernel, harness);
      const settling = kernel.reconcileUntilSettled().catch(() => {});
      await kernel.advance(0);
      const beforeMs = kernel.clock.nowMs();
      const stopping = kernel.stop();
      over.abort();
      const { errors } = await stopping;
      await settling;
      const tookMs = kernel.clock.nowMs() - beforeMs;
      assert.deepEqual(errors, []);
      assert(tookMs < promptMs, `it took ${tookMs} ms to stop: pass the context's signal on to whatever is waited for`);
    },
    'there is an object to try of every kind that it taps or reconciles': (harness) =>
      onKernel(harness, async (kernel) => {
        const { missing } = subjectsOf(kernel, harness);
        assert.deepEqual(
          missing,
          [],
          'give the suite an object of each: conformance.plugin(() => ({ plugin, objects: [{ kind, object }] }))',
        );
      }),
  });

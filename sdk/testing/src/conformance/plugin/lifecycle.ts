import assert from 'node:assert/strict';
import { definePlugin, defineService } from '@tappaas/sdk';
import type { PluginDeclaration } from '@tappaas/sdk/definitions';
import { load, type Loaded } from '../../load.js';
import { awaitOrAdvance } from '../../await-or-advance.js';
import { hanging } from './disturbance.js';
import { callTaps, createReconciled } from './exercise.js';
import { declarationOf, declaredAs, loadOnly, onKernel, pluginCases, startWith, type MakePlugin, type PluginHarness } from './harness.js';
import { subjectsOf } from './subjects.js';

const minuteMs = 60_000;
/** Time on the virtual clock, which advances during a stop only if the stop takes longer than a second of real time. */
const promptMs = 1_000;

const onPurpose = () => Promise.reject(new Error('this start fails on purpose'));
const unavailable = defineService<object>({ id: 'conformance/never-made', contract: 1 });

const failing = definePlugin({ id: 'conformance-fails-at-start', setup: (host) => host.onStart(onPurpose) });

/** The plugin with a provider before all of its own that fails to start, so that nothing else of it starts before it is stopped. */
function failingFirst(loaded: Loaded): Loaded {
  const declaration = declarationOf(loaded);
  const setup: PluginDeclaration['setup'] = (host, config, services) => {
    host.provide(unavailable, onPurpose);
    return declaration.setup(host, config, services);
  };
  return { ...loaded, plugin: declaredAs(loaded.plugin.id, { ...declaration, setup }) };
}

/** Starts a kernel that fails to start, stops it, and fails unless the plugin under test stopped cleanly; only its metrics report that. */
async function failToStart(harness: PluginHarness, others: readonly Loaded[]): Promise<void> {
  const { kernel, clock } = await loadOnly(harness, others);
  const error = await awaitOrAdvance(clock, kernel.start()).then(
    () => assert.fail('a start that fails on purpose succeeded'),
    (thrown: unknown) => thrown as Error,
  );
  await awaitOrAdvance(clock, kernel.stop());
  assert.match(error.message, /this start fails on purpose/);
  const stopping = new RegExp(`plugin="${harness.plugin.id}",hook="(?:onStop|dispose[^"]*)",outcome="(?:error|timeout|upstream)"`);
  const failed = kernel.metrics
    .text()
    .split('\n')
    .filter((line) => line.includes('_count{') && stopping.test(line) && !line.endsWith(' 0'));
  assert.deepEqual(failed, [], 'it did not stop cleanly: see that onStop bears that onStart has not run');
}

/** Starting and stopping, in every possible order. */
export const lifecycle = (make: MakePlugin) =>
  pluginCases(make, {
    'it starts, works for a minute and stops, and nothing is left open': async (harness) => {
      const kernel = await startWith(harness, { detectLeaks: true });
      await createReconciled(kernel, harness);
      await kernel.reconcileUntilSettled();
      const faults = await callTaps(kernel, harness);
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
      const { errors } = await awaitOrAdvance(clock, kernel.stop());
      assert.deepEqual(errors, []);
    },
    'it stops cleanly when its start fails before it got anywhere, and when another plugin fails': async (harness) => {
      const { plugin } = harness;
      await failToStart({ ...harness, plugin: failingFirst(plugin) }, []);
      await failToStart(harness, [load(failing)]);
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

import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { neighbours, type Values } from './configurations.js';
import { callTaps } from './exercise.js';
import { configured, declarationOf, onKernel, pluginCases, recordWith, type MakePlugin, type PluginHarness } from './harness.js';
import type { MemoryTestKernel } from '../../memory-test-kernel.js';
import type { Loaded } from '../../load.js';

const rounds = 3;

/** Reloads while the plugin is being called. */
export const reload = (make: MakePlugin) =>
  pluginCases(make, {
    'reloads while it is asked lose no call, and leave it running': (harness) =>
      onKernel(harness, async (kernel) => {
        const { plugin, with: others = [] } = harness;
        const next = await takenConfiguration(kernel, harness);
        const reloaded = new AbortController();
        const asking = (async () => {
          const faults = new Set<string>();
          while (!reloaded.signal.aborted) {
            for (const fault of await callTaps(kernel, harness)) faults.add(fault);
            await turn();
          }
          return [...faults];
        })();
        for (let round = 0; round < rounds; round += 1) {
          for (const plugins of [
            [...others, next],
            [...others, plugin],
          ])
            await kernel.reload(plugins);
        }
        reloaded.abort();
        assert.deepEqual(await asking, []);
        const state = kernel.platform.kernel.plugins().find(({ id }) => id === plugin.id);
        assert.equal(state?.phase, 'ready');
      }),
    'taken away and brought back, it works as before': (harness) =>
      onKernel(harness, async (kernel) => {
        const { plugin, with: others = [] } = harness;
        const before = await callTaps(kernel, harness);
        await kernel.reload(others).catch(unlessItMustStay);
        await kernel.reload([...others, plugin]);
        assert.deepEqual(await callTaps(kernel, harness), before);
      }),
  });

/** A platform's store cannot be replaced while it runs: such a reload is refused and changes nothing. */
function unlessItMustStay(error: unknown): void {
  if (!(error instanceof Error) || !error.message.includes('TAP_RELOAD_NEEDS_RESTART')) throw error;
}

/** Another configuration that the plugin accepts; its present one if there is none. */
async function takenConfiguration(kernel: MemoryTestKernel, { plugin, with: others = [] }: PluginHarness): Promise<Loaded> {
  const manifest = recordWith(plugin, declarationOf(plugin).example);
  for (const config of neighbours(manifest, plugin.config as Values)) {
    const next = configured(plugin, config);
    const taken = await kernel.reload([...others, next]).then(
      () => true,
      () => false,
    );
    if (taken) return next;
  }
  return plugin;
}

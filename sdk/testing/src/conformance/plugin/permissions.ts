import assert from 'node:assert/strict';
import { isTapError } from '@tappaas/sdk';
import { disturbed } from './disturbance.js';
import { callTaps, createReconciled } from './exercise.js';
import { onKernel, pluginCases, type MakePlugin } from './harness.js';

const minuteMs = 60_000;

/** With its own rights, the plugin does only what its permissions declare. */
export const permissions = (make: MakePlugin) =>
  pluginCases(make, {
    'it does nothing that its permissions do not name': async (harness) => {
      const refused = new Set<string>();
      const wrapResources = disturbed(async (_, run) => {
        try {
          return await run();
        } catch (error) {
          if (isTapError(error, 'TAP_PLUGIN_PERMISSION')) refused.add(error.message);
          throw error;
        }
      });
      await onKernel(
        harness,
        async (kernel) => {
          await createReconciled(kernel, harness);
          await kernel.reconcileUntilSettled();
          await callTaps(kernel, harness);
          await kernel.advance(minuteMs);
        },
        { wrapResources },
      );
      assert.deepEqual([...refused], []);
    },
  });

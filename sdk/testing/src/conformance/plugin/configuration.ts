import assert from 'node:assert/strict';
import { isTapError } from '@tappaas/sdk';
import { neighbours, wrongValues, type Values } from './configurations.js';
import { configured, declarationOf, loadOnly, pluginCases, recordWith, type MakePlugin, type PluginHarness } from './harness.js';

/** Configurations: invalid ones are refused with a message for the operator, and `setup` registers the same with every valid one. */
export const configuration = (make: MakePlugin) =>
  pluginCases(make, {
    'a configuration with an unknown key is refused, naming the key': async (harness) => {
      const { id, config } = harness.plugin;
      const text = await refusal(harness, { ...(config as object), conformanceUnknownKey: 1 });
      assert.match(text, new RegExp(`TAP_CONFIG_UNKNOWN_KEY {2}plugins\\.${id}\\.config\\.conformanceUnknownKey`));
    },
    'a value that does not fit is refused for every key, naming the key': async (harness) => {
      const { id, config } = harness.plugin;
      for (const { key, values } of wrongValues(recordWith(harness.plugin, declarationOf(harness.plugin).example))) {
        const texts = await Promise.all(values.map((value) => refusal(harness, { ...(config as object), [key]: value })));
        const named = texts.filter((text) => text.includes(`plugins.${id}.config.${key}`));
        assert(named.length > 0, `config.${key} takes anything: give it a type, so that a mistake of the operator is found`);
      }
    },
    'the example is a valid configuration': async ({ plugin }) => {
      assert.doesNotThrow(() => recordWith(plugin, declarationOf(plugin).example));
    },
    'setup registers the same whatever the configuration says, at once and without I/O': async ({ plugin }) => {
      const { example } = declarationOf(plugin);
      const manifest = recordWith(plugin, example);
      const { taps, provides, parts } = manifest;
      for (const config of [plugin.config, ...neighbours(manifest, example as Values), ...neighbours(manifest, plugin.config as Values)]) {
        const other = recordIfValid(plugin, config);
        if (other === undefined) continue;
        const registered = { taps: other.taps, provides: other.provides, parts: other.parts };
        assert.deepEqual(registered, { taps, provides, parts }, `setup registers something else with ${JSON.stringify(config)}`);
      }
    },
  });

/**
 * The operator's message about a configuration; empty if it loads. The plugin is only loaded, so values may name things that do not exist.
 */
async function refusal(harness: PluginHarness, config: unknown): Promise<string> {
  try {
    await loadOnly({ ...harness, plugin: configured(harness.plugin, config) });
    return '';
  } catch (error) {
    if (isTapError(error, 'TAP_CONFIG_INVALID')) return error.message;
    throw error;
  }
}

function recordIfValid(plugin: PluginHarness['plugin'], config: unknown): ReturnType<typeof recordWith> | undefined {
  try {
    return recordWith(plugin, config);
  } catch (error) {
    // A neighbour of a valid configuration may be invalid. Errors of `setup` itself are TapErrors.
    if (error instanceof TypeError && error.message.includes('does not fit its config')) return undefined;
    throw error;
  }
}

import type { TapError } from '@tappaas/sdk';

/** The kernel's name for what the platform itself provides; no plugin has it. */
const platform = 'platform';

type PluginError = Pick<TapError, 'message' | 'plugin'>;

/** Returns the plugin that clients see as the cause of an error; undefined if it is not a plugin's. */
export const pluginOf = ({ plugin }: PluginError): string | undefined => (plugin === platform ? undefined : plugin);

/** Returns the message for clients; a plugin's failure names the plugin. */
export function publicMessageOf(error: PluginError): string {
  const plugin = pluginOf(error);
  return plugin === undefined ? error.message : `plugin ${plugin}: ${error.message}`;
}

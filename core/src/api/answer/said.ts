import type { TapError } from '@tappaas/sdk';

/** Under which the kernel calls what the platform itself provides; no plugin is called so. */
const platform = 'platform';

type Said = Pick<TapError, 'message' | 'plugin'>;

/** Whose failure clients are told an error is; nothing when it is no plugin's. */
export const pluginOf = ({ plugin }: Said): string | undefined => (plugin === platform ? undefined : plugin);

/** What clients are told: a plugin's failure names it. */
export function saidOf(error: Said): string {
  const plugin = pluginOf(error);
  return plugin === undefined ? error.message : `plugin ${plugin}: ${error.message}`;
}

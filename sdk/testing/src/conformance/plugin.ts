import type { Case } from './case.js';
import { configuration } from './plugin/configuration.js';
import { faultCases } from './plugin/faults.js';
import type { MakePlugin } from './plugin/harness.js';
import { lifecycle } from './plugin/lifecycle.js';
import { permissions } from './plugin/permissions.js';
import { reload } from './plugin/reload.js';

export type { MakePlugin, PluginHarness, SampleObject } from './plugin/harness.js';

/**
 * The conformance cases of every plugin, for any test runner.
 *
 * @example
 * ```ts
 * for (const { title, run } of conformance.plugin(() => load(myPlugin, { limit: 3 }))) test(title, run);
 * ```
 */
export function pluginConformance(make: MakePlugin): readonly Case[] {
  return [configuration, lifecycle, reload, permissions, faultCases].flatMap((area) => area(make));
}

import assert from 'node:assert/strict';
import type { KeyedService } from '@tappaas/sdk';
import { onKernel, pluginCases, type MakePlugin } from './plugin/harness.js';
import type { Case } from './case.js';

/** Cases about a plugin's service of one family, each on a kernel of its own. */
export function providedCases<T>(
  family: KeyedService<T>,
  make: MakePlugin,
  bodies: Readonly<Record<string, (provided: T) => void | Promise<void>>>,
): readonly Case[] {
  const onProvided = Object.entries(bodies).map(([title, body]) => [
    title,
    (harness: Parameters<typeof onKernel>[0]) =>
      onKernel(harness, async ({ platform }) => {
        const { id } = harness.plugin;
        const provided = platform.kernel.services.family(family).get(id);
        assert(provided !== undefined, `${id} provides no ${family.id}`);
        await body(provided);
      }),
  ]);
  return pluginCases(make, Object.fromEntries(onProvided) as Parameters<typeof pluginCases>[1]);
}

const known: ReadonlySet<string> = new Set(['containers', 'gpu', 'gateway-api', 'snapshots', 'mesh']);

/** Checks the description, and that the requirements are capabilities that clusters can have. */
export function checkDescribed({ description, requires }: { readonly description: string; readonly requires: readonly string[] }): void {
  assert.notEqual(description.trim(), '', 'it has no description');
  const unknown = requires.filter((capability) => !known.has(capability));
  assert.deepEqual(unknown, [], `requires: expected some of ${[...known].join(', ')}`);
}

/** Checks that a value is plain data that survives JSON encoding unchanged. */
export function checkPlain(value: unknown, what: string): void {
  assert.deepEqual(JSON.parse(JSON.stringify(value)), value, `${what} is no plain data`);
}

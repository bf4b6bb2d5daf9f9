import assert from 'node:assert/strict';
import { hooks } from '@tappaas/sdk';
import type { Case } from './case.js';
import { onKernel, pluginCases, type MakePlugin } from './plugin/harness.js';
import { schedulingConformance, type SchedulingTap } from './scheduling.js';
import type { MemoryTestKernel } from '../memory-test-kernel.js';

/** The conformance cases of a plugin's filter and score taps, called as the scheduler calls them. */
export function schedulingPluginConformance(make: MakePlugin): readonly Case[] {
  const titles = schedulingConformance(() => ({ taps: [] })).map(({ title }) => title);
  const bodies = titles.map((title) => [
    title,
    (harness: Parameters<typeof onKernel>[0]) =>
      onKernel(harness, async (kernel) => {
        const taps = tapsOf(kernel, harness.plugin.id);
        const found = schedulingConformance(() => ({ taps })).find((each) => each.title === title);
        assert(found !== undefined);
        await found.run();
      }),
  ]);
  return pluginCases(make, Object.fromEntries(bodies) as Parameters<typeof pluginCases>[1]);
}

function tapsOf({ platform }: MemoryTestKernel, id: string): readonly SchedulingTap[] {
  const { filter, score } = hooks.scheduling;
  const dispatch = platform.kernel.hooks;
  const run =
    <I>(tap: { run(input: I): Error | undefined }) =>
    (input: unknown) => {
      const error = tap.run(input as I);
      if (error) throw error;
    };
  return [
    ...dispatch
      .batch(filter)
      .filter(({ plugin }) => plugin === id)
      .map((tap): SchedulingTap => ({ name: tap.name, reads: tap.options.reads, reasons: tap.options.reasons, run: run(tap) })),
    ...dispatch
      .batch(score)
      .filter(({ plugin }) => plugin === id)
      .map((tap): SchedulingTap => ({ name: tap.name, reads: tap.options.reads, scale: tap.options.scale, run: run(tap) })),
  ];
}

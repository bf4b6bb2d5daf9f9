import type { PlatformEvent, Resources } from '@tappaas/sdk';
import test from 'ava';
import type { Kernel } from '../../dist/kernel/kernel.js';
import { recordPlatformEvents } from '../../dist/platform/events/platform-events.js';
import { createMetricRegistry } from '../../dist/kernel/kernel.js';
import { VirtualClock } from '../virtual-clock.ts';

/** Events as they are written, by the name of what they are about. */
async function written(events: readonly Omit<PlatformEvent, 'atMs'>[]): Promise<readonly string[]> {
  const reported: string[] = [];
  let emit: (event: PlatformEvent) => void = () => {};
  const kernel: Pick<Kernel, 'onEvent' | 'metrics'> = {
    metrics: createMetricRegistry(),
    onEvent(listener) {
      emit = listener;
      return () => {};
    },
  };
  const resources = {
    get: async (handle: { readonly kind: string }, { name }: { readonly name: string }) =>
      handle.kind === 'Plugin' && name !== 'platform' ? { apiVersion: 'v1', kind: 'Plugin', metadata: { name, uid: name } } : undefined,
    create: async (_kind: unknown, { involvedObject, message }: { involvedObject: { name: string }; message: string }) =>
      void reported.push(`${involvedObject.name}: ${message}`),
  } as unknown as Resources;
  const quiet = () => undefined;
  const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
  const settle = recordPlatformEvents({ kernel, isWorker: false, resources, clock: new VirtualClock(), random: () => 0, log });
  for (const event of events) emit({ ...event, atMs: 0 });
  await settle();
  return reported;
}

test('the event of a blocked event loop says who blocked it, where, and for how long, in steps', async (t) => {
  const blocked = (plugin: string, point: string, blockedMs: number) => ({
    type: 'loop.blocked',
    attributes: { plugin, point, blockedMs },
  });
  t.deepEqual(
    await written([blocked('culprit', 'admission.validate', 12_345), blocked('platform', '', 579), blocked('platform', '', 999)]),
    [
      'culprit: plugin culprit kept everything waiting for 10 s or longer at admission.validate',
      'platform: the platform kept everything waiting for 0.5 s or longer',
      'platform: the platform kept everything waiting for 0.5 s or longer',
    ],
  );
});

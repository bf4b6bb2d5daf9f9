import type { Clock, Logger, PlatformEvent, Resources } from '@tappaas/sdk';
import { PluginStatus } from '@tappaas/sdk/kinds';
import type { Kernel } from '../../kernel/kernel.js';
import type { EngineObject } from '../engine-object.js';
import { createEventRecorder } from './event-recorder.js';
import type { ObjectEvent } from '../controllers/reconcile-context.js';

const stepsSeconds = [60, 30, 10, 5, 2, 1];

/** Rounds down to steps, so that similar events remain one Event with a count. */
function atLeast(ms: number): string {
  return `${stepsSeconds.find((seconds) => ms >= seconds * 1000) ?? 0.5} s or longer`;
}

/** The platform events that are recorded, and their messages. Frequent ones are left to metrics and Plugin objects. */
const eventsOf: Readonly<Record<string, (attributes: PlatformEvent['attributes']) => ObjectEvent>> = {
  'breaker.open': ({ hook }) => ({
    type: 'Warning',
    reason: 'BreakerOpen',
    message: `is skipped at ${hook} for a while: it has failed there repeatedly`,
  }),
  'breaker.closed': ({ hook }) => ({ type: 'Normal', reason: 'BreakerClosed', message: `is called at ${hook} again` }),
  'loop.blocked': ({ plugin, point, blockedMs }) => ({
    type: 'Warning',
    reason: 'EventLoopBlocked',
    message: `${plugin === 'platform' ? 'the platform' : `plugin ${plugin}`} kept everything waiting for ${atLeast(Number(blockedMs))}${point ? ` at ${point}` : ''}`,
  }),
  'plugin.failed': ({ message }) => ({ type: 'Warning', reason: 'PluginFailed', message: String(message) }),
  'platform.reloaded': ({ added, removed, turnedOff, restarted }) => ({
    type: 'Normal',
    reason: 'Reloaded',
    message: `configuration taken over; added: ${added || 'none'}, removed: ${removed || 'none'}, turned off: ${turnedOff || 'none'}, restarted: ${restarted || 'none'}`,
  }),
  'platform.reload-refused': ({ problems, first }) => ({
    type: 'Warning',
    reason: 'ReloadRefused',
    message: `configuration not taken over, ${problems === 1 ? 'one problem' : `${problems} problems`}: ${first}`,
  }),
};

interface Parts {
  readonly kernel: Pick<Kernel, 'onEvent' | 'metrics'>;
  /** Whether another process records events about the platform as a whole. */
  readonly isWorker: boolean;
  readonly resources: Resources;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** The object of events that concern no plugin: the platform, which has no object of its own. */
const platform: EngineObject = {
  apiVersion: `${PluginStatus.group}/${PluginStatus.version}`,
  kind: 'Platform',
  metadata: { name: 'platform', uid: 'platform', resourceVersion: '' },
};

/** Records the platform's own events as Events about its Plugin objects, so that every client of every process can follow them. */
export function recordPlatformEvents({ kernel, isWorker, resources, clock, random, log }: Parts): () => Promise<void> {
  const recorder = createEventRecorder({ resources, component: 'platform', metrics: kernel.metrics, clock, random, log });
  const leave = kernel.onEvent(({ type, attributes }) => {
    const event = isWorker && type.startsWith('platform.') ? undefined : eventsOf[type]?.(attributes);
    if (event !== undefined) recorder.emit(() => objectOf(resources, attributes['plugin']), event);
  });
  return async () => {
    leave();
    await recorder.stop();
  };
}

async function objectOf(resources: Resources, plugin: string | number | undefined): Promise<EngineObject> {
  const found = typeof plugin === 'string' ? await resources.get(PluginStatus, { name: plugin }) : undefined;
  return (found as EngineObject | undefined) ?? platform;
}

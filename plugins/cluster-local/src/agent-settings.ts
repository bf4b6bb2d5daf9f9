import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Immutable } from '@tappaas/sdk';
import type { AgentSettings } from './agent/settings.js';
import type { config } from './config.js';
import type { Type } from '@tappaas/sdk';

/** The plugin's configuration with defaults filled in. */
export type Config = Immutable<Type.Static<typeof config>>;

/** The settings for the agent. They include the package's version, so that an agent of another version is replaced. */
export function agentSettings(instance: string, settings: Config): AgentSettings {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string };
  return {
    version,
    imagesDirectory: resolve(settings.images),
    nodes: nodeNames(instance, settings.nodes),
    httpPort: settings.httpPort,
    httpPortSetting: `plugins.${instance}.config.httpPort`,
    podPorts: { from: settings.podPortFirst, to: settings.podPortLast },
    servicePorts: { from: settings.servicePortFirst, to: settings.servicePortLast },
    gracePeriodSeconds: settings.gracePeriodSeconds,
    podsMax: settings.podsMax,
    cpuOvercommit: settings.cpuOvercommit,
    logBytesMax: settings.logBytesMax,
    restart: {
      firstMs: settings.restartFirstSeconds * 1000,
      mostMs: settings.restartMostSeconds * 1000,
      resetMs: settings.restartResetSeconds * 1000,
    },
    heartbeatMs: 5000,
    drainMs: settings.drainSeconds * 1000,
    connectionsMax: settings.connectionsMax,
  };
}

const nodeNames = (instance: string, count: number): readonly string[] =>
  Array.from({ length: count }, (_, index) => `${instance}-${index + 1}`);

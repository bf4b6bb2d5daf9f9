import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { Clock } from '@tappaas/sdk';
import { agentSettings } from '../../dist/agent-settings.js';
import { engineKinds } from '../../dist/kinds/engine-kinds.js';
import { AgentControl } from '../../dist/supervision/agent-control.js';
import type { AgentSettings } from '../../dist/agent/settings.js';
import { clusterPorts, freePort } from '../../../../test/ports.ts';
import { FakeApi } from './fake-api.ts';
import { FakeControllers } from './fake-controllers.ts';
import { FakeStore } from './fake-store.ts';

export const clock: Clock = { nowMs: Date.now, sleep: (ms, signal) => wait(ms, undefined, { signal }) };
export const never = new AbortController().signal;

/** A fake API, the plugin's controllers, and a real agent process with its own directory. */
export class LocalCluster {
  readonly store = new FakeStore(engineKinds);
  readonly api = new FakeApi(this.store);
  readonly directory: string;
  readonly control: AgentControl;
  settings: AgentSettings;
  controllers: FakeControllers | undefined;

  private constructor(directory: string, settings: AgentSettings) {
    this.directory = directory;
    this.settings = settings;
    this.control = new AgentControl(join(directory, 'agent'), clock);
  }

  static async make(changes: Partial<AgentSettings> = {}): Promise<LocalCluster> {
    const directory = await mkdtemp(join(tmpdir(), 'tappaas-local-'));
    const base = agentSettings('local', {
      directory: join(directory, 'agent'),
      images: join(directory, 'images'),
      httpPort: await freePort(),
      hostSuffix: 'localhost',
      nodes: 1,
      podsMax: 100,
      cpuOvercommit: 1,
      ...(await clusterPorts()),
      gracePeriodSeconds: 300,
      drainSeconds: 2,
      connectionsMax: 1000,
      logBytesMax: 1_000_000,
      restartFirstSeconds: 0.3,
      restartMostSeconds: 1,
      restartResetSeconds: 600,
    });
    const cluster = new LocalCluster(directory, { ...base, heartbeatMs: 500, ...changes });
    await cluster.api.start();
    return cluster;
  }

  /** Starts or adopts the agent. */
  async startAgent() {
    return this.control.ensure(this.settings, { server: this.api.url, token: this.api.token }, never);
  }

  async start(): Promise<void> {
    this.controllers = new FakeControllers(this.store);
    await this.startAgent();
  }

  url(host: string, path = '/'): string {
    return `http://127.0.0.1:${this.settings.httpPort}${path}#${host}`;
  }

  /** Stops everything and removes the directory. */
  async end(): Promise<void> {
    this.controllers?.stop();
    await this.control.stop(4000, never);
    await this.api.stop();
    await rm(this.directory, { recursive: true, force: true });
  }
}

/** Polls until a condition holds; on a timeout it fails with the last value. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  withinMs = 60_000,
): Promise<T> {
  const endMs = Date.now() + withinMs;
  let problem: unknown;
  while (Date.now() < endMs) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      problem = error;
    }
    await wait(20);
  }
  throw new Error(`not within ${withinMs} ms: ${what}${problem instanceof Error ? ` (${problem.message})` : ''}`);
}

import { resolve } from 'node:path';
import { administratorsGroup, type Clock, type Context, definePlugin, type EngineHandle, families } from '@tappaas/sdk';
import { isFree } from './agent/pod/host-ports.js';
import { agentSettings, type Config } from './agent-settings.js';
import { config } from './config.js';
import { registerControllers } from './controllers/registry.js';
import { errors } from './errors.js';
import { engineKinds } from './kinds/engine-kinds.js';
import { ofPods } from './subresources/of-pods.js';
import { AgentControl } from './supervision/agent-control.js';
import { agentHttpPort } from './supervision/agent-record.js';
import { superviseAgent } from './supervision/supervise-agent.js';

/** Interval at which the agent is supervised, milliseconds. */
const superviseMs = 2000;

/**
 * Logged at each start of the platform, by the process that supervises the agent only: an operator who gives others access must know it,
 * and the plugin cannot tell whether anyone has been given access.
 */
const sharedUser =
  'pods run as the user of this platform: anyone who may deploy or exec here can read its keys and act as its administrator. Grant this only to users whom you trust with that; for others use a cluster that isolates them (docs/operators/access.md)';

/** A cluster on this machine: Kubernetes' API for workloads, its controllers, and a node agent that runs pods as local processes. */
export default definePlugin({
  id: 'cluster-local',
  stability: 'beta',
  config,
  example: {},
  setup(host, initial) {
    let settings: Config = initial;
    let isStopping = false;
    let isOurs = false;
    const control = (clock: Clock) => new AgentControl(resolve(settings.directory), clock);
    const engine = host.engine({
      name: host.id,
      description: 'Kubernetes workloads on this machine; pods are local processes.',
      kinds: engineKinds,
      ...ofPods(control),
    });
    registerControllers(host, host.id);
    host.provide(families.cluster, () => localCluster(() => settings, engine));
    host.onStart(() => refuseTakenPort(settings, host.id));
    host.task({
      name: 'node-agent',
      on: 'every-machine',
      everyMs: superviseMs,
      async run(context) {
        if (isStopping) return;
        if (!isOurs) context.log.warn(sharedUser);
        isOurs = true;
        await superviseAgent(control(context.clock), agentSettings(host.id, settings), engine, context);
      },
    });
    host.onStop((context: Context) => {
      isStopping = true;
      // A start that fails half-way, for example because a platform already runs here, must not end that platform's agent and pods.
      return isOurs ? control(context.clock).stop(context.remainingMs(), new AbortController().signal) : Promise.resolve();
    });
    host.onConfig(async (next, previous) => {
      if (next.directory !== previous.directory || next.hostSuffix !== previous.hostSuffix) return 'restart';
      // A port that is in use is reported by the start of a new generation; the agent moves to a free one without a restart.
      if (next.httpPort !== previous.httpPort && !(await canServe(next))) return 'restart';
      settings = next;
      return 'applied';
    });
  },
});

function localCluster(settings: () => Config, engine: EngineHandle) {
  return {
    description: 'Local processes on this machine.',
    profiles: ['workloads', 'batch', 'config'] as const,
    capabilities: [],
    scheduling: 'bind' as const,
    namespaceTemplate: 'tappaas-{namespace}',
    get ingress() {
      const { hostSuffix, httpPort: port } = settings();
      return { scheme: 'http' as const, hostSuffix, port };
    },
    connection: () => engine.connection({ name: 'system:tappaas', groups: [administratorsGroup] }),
  };
}

/** An agent in this directory, possibly from an earlier platform, may hold the port legitimately. */
async function canServe({ directory, httpPort }: Config): Promise<boolean> {
  return (await agentHttpPort(resolve(directory))) === httpPort || isFree(httpPort);
}

/** Reports a port that is in use before anything is started. */
async function refuseTakenPort(settings: Config, instance: string): Promise<void> {
  if (await canServe(settings)) return;
  const { httpPort } = settings;
  throw errors.CLUSTER_LOCAL_PORT_TAKEN({
    field: `plugins.${instance}.config.httpPort`,
    message: `port ${httpPort} on 127.0.0.1, where applications answer, is taken by another program (plugins.${instance}.config.httpPort)`,
  });
}

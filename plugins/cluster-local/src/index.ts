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

/** How often the agent is looked after, milliseconds. */
const superviseMs = 2000;

/** Told at each start of the platform by the process that looks after the agent, and by none of the others: whoever opens the platform to others has to know it, and nothing here can tell whether somebody has. */
const sharedUser =
  'pods run as the user of this platform: whoever may deploy or exec here can read its keys and act as its administrator. Let in only whom you trust with that; for others use a cluster that isolates them (docs/operators/access.md)';

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
      // A start that fails half-way, perhaps because a platform runs here already, must not end that platform's agent and pods.
      return isOurs ? control(context.clock).stop(context.remainingMs(), new AbortController().signal) : Promise.resolve();
    });
    host.onConfig(async (next, previous) => {
      if (next.directory !== previous.directory || next.hostSuffix !== previous.hostSuffix) return 'restart';
      // A port that is taken is refused by the start of a new generation, which tells why; the agent moves to one that is free.
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

/** An agent that works here, perhaps left by an earlier platform, holds its port rightly. */
async function canServe({ directory, httpPort }: Config): Promise<boolean> {
  return (await agentHttpPort(resolve(directory))) === httpPort || isFree(httpPort);
}

/** A taken port is told before anything is started on it. */
async function refuseTakenPort(settings: Config, instance: string): Promise<void> {
  if (await canServe(settings)) return;
  const { httpPort } = settings;
  throw errors.CLUSTER_LOCAL_PORT_TAKEN({
    field: `plugins.${instance}.config.httpPort`,
    message: `port ${httpPort} on 127.0.0.1, where applications answer, is taken by another program (plugins.${instance}.config.httpPort)`,
  });
}

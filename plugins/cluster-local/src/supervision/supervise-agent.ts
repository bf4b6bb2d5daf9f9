import type { Context, EngineHandle } from '@tappaas/sdk';
import type { AgentSettings } from '../agent/settings.js';
import type { AgentControl } from './agent-control.js';
import { askAgent, textOf } from './agent-request.js';

const connections = new WeakMap<EngineHandle, Promise<Awaited<ReturnType<EngineHandle['connection']>>>>();

/** Looks after the agent once: starts it when it does not run, and tells what it cannot do. */
export async function superviseAgent(
  control: AgentControl,
  settings: AgentSettings,
  engine: EngineHandle,
  context: Context,
): Promise<void> {
  const connection = await connectionOf(engine);
  const before = await control.running();
  const record = await control.ensure(settings, connection, context.signal);
  if (record.pid !== before?.pid) context.log.info('node agent started', { pid: record.pid });
  const state = JSON.parse(await textOf(await askAgent(record, 'GET', '/state', context.signal))) as { proxyProblem?: string };
  if (state.proxyProblem) context.log.error(state.proxyProblem);
}

/** Credentials are good until the platform's next start, so they are asked for once; a failure is asked again. */
function connectionOf(engine: EngineHandle) {
  const known = connections.get(engine);
  if (known) return known;
  const asked = engine.connection({ name: `system:node:${engine.name}`, groups: ['system:nodes', 'system:masters'] });
  connections.set(engine, asked);
  asked.catch(() => connections.delete(engine));
  return asked;
}

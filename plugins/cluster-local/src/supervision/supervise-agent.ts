import type { Context, EngineHandle } from '@tappaas/sdk';
import type { AgentSettings } from '../agent/settings.js';
import type { AgentControl } from './agent-control.js';

/** Looks after the agent once: starts it when it does not run, and tells what it cannot do. */
export async function superviseAgent(
  control: AgentControl,
  settings: AgentSettings,
  engine: EngineHandle,
  context: Context,
): Promise<void> {
  // Its certificate is replaced before it ends, so it is asked for each time; the agent finds a new one in its file.
  const connection = await engine.connection({ name: `system:node:${engine.name}`, groups: ['system:nodes'] });
  const before = await control.running();
  const record = await control.ensure(settings, connection, context.signal);
  if (record.pid !== before?.pid) context.log.info('node agent started', { pid: record.pid });
  const { proxyProblem } = await control.state(record, settings, context.signal);
  if (proxyProblem) context.log.error(proxyProblem);
}

import type { Context, EngineHandle } from '@tappaas/sdk';
import type { AgentSettings } from '../agent/settings.js';
import type { AgentControl } from './agent-control.js';

/** Ensures that the agent runs with the present settings, and logs its problems. */
export async function superviseAgent(
  control: AgentControl,
  settings: AgentSettings,
  engine: EngineHandle,
  context: Context,
): Promise<void> {
  // Requested each time, since the certificate is renewed before it expires; the agent reads a new one from its file.
  const connection = await engine.connection({ name: `system:node:${engine.name}`, groups: ['system:nodes'] });
  const before = await control.running();
  const record = await control.ensure(settings, connection, context.signal);
  if (record.pid !== before?.pid) context.log.info('node agent started', { pid: record.pid });
  const { proxyProblem } = await control.state(record, settings, context.signal);
  if (proxyProblem) context.log.error(proxyProblem);
}

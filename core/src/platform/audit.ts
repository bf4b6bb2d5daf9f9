import { hooks, type AuditEvent, type Clock } from '@tappaas/sdk';
import type { Audit } from '../api/stages.js';
import type { Kernel } from '../kernel/kernel.js';
import { createAuditStage } from '../telemetry/audit/audit-stage.js';

/** The audit stage of the request chain, which tells the taps of plugins; one that fails is why a request is refused. */
export function auditOf(kernel: Kernel, clock: Clock): Audit {
  const tell = (event: () => AuditEvent): void => {
    if (!kernel.hooks.has(hooks.telemetry.audit)) return;
    const [failure] = kernel.hooks.observe(hooks.telemetry.audit, event());
    if (failure !== undefined) throw failure.error;
  };
  return createAuditStage({ nowMs: () => clock.nowMs(), tell });
}

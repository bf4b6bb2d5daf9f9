import { randomUUID } from 'node:crypto';
import { type AuditRecorder, type Clock, platformEngine } from '@tappaas/sdk';
import type { EnginePort } from '../../ports/engine.js';
import type { Audit } from '../../ports/audit.js';
import { callingPlugin } from '../../kernel/kernel.js';
import { pathOf } from '../kind-path.js';

interface Parts {
  /** Promises, because plugins receive the recorder before these exist. */
  readonly audit: () => Promise<Audit>;
  readonly engine: () => Promise<Pick<EnginePort, 'name' | 'kinds'>>;
  readonly clock: Clock;
}

/** Makes the recorder with which plugins report to audit what they did on behalf of callers, each under the plugin's name. */
export function auditRecorder({ audit, engine, clock }: Parts): AuditRecorder {
  return {
    async record({ caller, verb, kind, namespace, name, reason, requestId }) {
      const plugin = callingPlugin() ?? platformEngine;
      const path = pathOf(await engine(), kind);
      const begin = await audit();
      const trail = await begin({
        // Work that a plugin does on its own gets a separate id.
        requestId: requestId === undefined || requestId === '' ? randomUUID() : requestId,
        receivedAtMs: clock.nowMs(),
        method: '',
        path: `/plugins/${plugin}`,
        query: '',
        engine: platformEngine,
        verb,
        target: { kind: path, ...(namespace !== undefined && { namespace }), name },
        caller,
        remoteAddress: '',
        userAgent: 'tappaas',
      });
      const annotations = new Map([['tappaas.dev/plugin', plugin]]);
      await trail.end({ status: 200, durationMs: 0, decision: { decision: 'allow', reason }, annotations });
    },
  };
}

import { randomUUID } from 'node:crypto';
import { type AuditRecorder, type Clock, platformEngine } from '@tappaas/sdk';
import type { EnginePort } from '../../ports/engine.js';
import type { Audit } from '../../ports/audit.js';
import { callingPlugin } from '../../kernel/kernel.js';
import { pathOf } from '../kind-path.js';

interface Parts {
  /** Plugins are handed the recorder before either is there. */
  readonly audit: () => Promise<Audit>;
  readonly engine: () => Promise<Pick<EnginePort, 'name' | 'kinds'>>;
  readonly clock: Clock;
}

/** Tells the stage of audit what plugins have done for somebody, each in the plugin's name. */
export function auditRecorder({ audit, engine, clock }: Parts): AuditRecorder {
  return {
    async record({ caller, verb, kind, namespace, name, reason, requestId }) {
      const plugin = callingPlugin() ?? platformEngine;
      const path = pathOf(await engine(), kind);
      const begin = await audit();
      const trail = await begin({
        // What a plugin does by itself is told apart by an id of its own.
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

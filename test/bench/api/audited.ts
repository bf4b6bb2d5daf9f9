/** The audit stage at level Metadata, as the platform assembles it; into a file, or without a sink. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Audit } from '../../../core/dist/ports/audit.js';
import { AuditLog } from '../../../core/dist/telemetry/audit/audit-log.js';
import { createAuditStage } from '../../../core/dist/telemetry/audit/audit-stage.js';
import { CheckpointFiles } from '../../../core/dist/telemetry/audit/checkpoint-files.js';
import { isConfidential } from '../../../core/dist/telemetry/audit/confidential.js';
import { ownEvents } from '../../../core/dist/telemetry/audit/own-event.js';
import { compilePolicy } from '../../../core/dist/telemetry/audit/policy.js';
import { openSigningKey } from '../../../core/dist/telemetry/audit/signing-key.js';
import { systemClock } from '../../../core/dist/platform/system-clock.js';
import { AuditFiles } from '../../../plugins/telemetry-audit-file/dist/audit-files.js';

const quiet = (): void => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const settings = {
  mode: 'batch',
  onOverflow: 'block',
  waitMsMax: 60_000,
  bufferLinesMax: 10_000,
  bufferBytesMax: 16_777_216,
  gatherMs: 50,
} as const;

async function fileLog(): Promise<AuditLog> {
  const directory = await mkdtemp(join(tmpdir(), 'tappaas-audit-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  const files = await AuditFiles.open({ directory: join(directory, 'log'), fileBytesMax: 1e9, totalBytesMax: 1e10, keepDays: 1 }, () =>
    Date.now(),
  );
  const key = await openSigningKey(join(directory, 'audit.pem'));
  return AuditLog.open({
    chain: 'r0',
    sinks: [{ name: 'audit', settings, write: (lines) => files.write(lines), end: (chain) => files.end(chain) }],
    checkpoints: await CheckpointFiles.open({ directory: join(directory, 'checkpoints'), chain: 'r0', key }),
    everyEvents: 1_000,
    everyMs: 10_000,
    clock: systemClock,
    random: Math.random,
    log,
    ownEvent: ownEvents('r0', Date.now),
  });
}

export async function auditStage(sink: 'file' | 'none'): Promise<Audit> {
  const policy = compilePolicy({ level: 'Metadata', omitStages: ['RequestReceived'], rules: [], refusals: true }, isConfidential);
  return createAuditStage({
    nowMs: Date.now,
    policy: () => policy,
    recordsRefusals: () => true,
    bodyBytesMax: () => 0,
    ...(sink === 'file' && { auditLog: await fileLog() }),
    hasTaps: () => false,
    emit: quiet,
    log,
  });
}

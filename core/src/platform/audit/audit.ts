import { join, resolve } from 'node:path';
import { families, hooks, type AuditEvent, type AuditSink, type Clock, type Logger, type ResourceStore } from '@tappaas/sdk';
import type { Audit } from '../../ports/audit.js';
import type { Kernel } from '../../kernel/kernel.js';
import { auditQuery } from '../../telemetry/audit/audit-query.js';
import { AuditLog, type LogSink } from '../../telemetry/audit/audit-log.js';
import { omittedStages, type AuditSettings } from '../../telemetry/audit/audit-settings.js';
import { createAuditStage, type AuditStageParts } from '../../telemetry/audit/audit-stage.js';
import { CheckpointFiles, type CheckpointRecord } from '../../telemetry/audit/checkpoint-files.js';
import { FormerChains, type FormerChainsParts } from '../../telemetry/audit/former-chains.js';
import { isConfidential } from '../../telemetry/audit/confidential.js';
import { auditErrors } from '../../telemetry/audit/errors.js';
import { ownEvents } from '../../telemetry/audit/own-event.js';
import { compilePolicy, type Policy } from '../../telemetry/audit/policy.js';
import { searchLines, type FoundEvents, type ReadLines } from '../../telemetry/audit/search.js';
import { openSigningKey } from '../../telemetry/audit/signing-key.js';
import { showAuditMetrics } from './audit-metrics.js';
import { storeRecord } from '../store-record.js';

export interface AuditParts {
  readonly kernel: Kernel;
  readonly store: ResourceStore;
  /** Directory of the `api` section, the default for files of audit. */
  readonly apiDirectory: string;
  /** Base directory of relative paths in settings. */
  readonly directory: string;
  /** The name of the chain. */
  readonly replica: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  /** Whether the process of a chain is gone; present only in the process that maintains such chains. */
  readonly isGone?: (chain: string) => boolean;
}

/** Audit as the platform uses it. */
export interface PlatformAudit {
  readonly stage: Audit;
  /** Searches events, newest first. @throws TAP_AUDIT_QUERY_INVALID, TAP_AUDIT_NOT_READABLE */
  readonly search: (parameters: Readonly<Record<string, string>>) => Promise<object>;
  /** Returns the names of the chains that can be searched. @throws TAP_AUDIT_NOT_READABLE */
  readonly chains: () => Promise<object>;
  /** Returns the latest signed checkpoint from the store; an empty object when there is none yet. */
  readonly checkpoint: () => Promise<object>;
  /** False while requests are refused because a blocking sink is failing. */
  readonly isReady: () => boolean;
  /** Applies the current configuration after a reload. */
  follow(): Promise<void>;
  /** Flushes the last lines to every sink. */
  stop(): Promise<void>;
}

/**
 * Opens the audit log with the configured sinks, and makes the request stage that feeds it. @throws TAP_AUDIT_KEY, TAP_AUDIT_SINK_UNKNOWN
 */
export async function openAudit(parts: AuditParts): Promise<PlatformAudit> {
  const { kernel, log } = parts;
  const settings = () => kernel.config.section('audit') as AuditSettings;
  const auditLog = await openLog(parts, settings());
  if (auditLog === undefined) log.warn('no audit sink is configured: requests are reported to plugins, and recorded nowhere');
  const gone = auditLog && parts.isGone && new FormerChains(goneChains(parts, parts.isGone, settings));
  gone?.start();
  const hideMetrics = auditLog && showAuditMetrics(kernel.metrics, auditLog);
  let policy = compiled(settings());
  return {
    stage: auditStage(parts, {
      policy: () => policy,
      recordsRefusals: () => settings().refusals,
      bodyBytesMax: () => settings().bodyBytesMax,
      auditLog,
    }),
    search: (parameters) => search(parts, parameters),
    chains: async () => ({ items: (await readableSink(parts).chains?.(kernel.platformContext())) ?? [parts.replica] }),
    checkpoint: async () => (await recordOf(parts).load()) ?? {},
    isReady: () => auditLog === undefined || auditLog.queues.every(({ settings: { mode }, isFailing }) => mode === 'batch' || !isFailing),
    async follow() {
      policy = compiled(settings());
      await auditLog?.follow(sinksOf(parts, settings()), settings().stopMsMax);
    },
    async stop() {
      hideMetrics?.();
      await gone?.stop();
      await auditLog?.stop(settings().stopMsMax);
    },
  };
}

/** Returns the first sink that supports reading. @throws TAP_AUDIT_NOT_READABLE */
function readableSink({ kernel }: AuditParts): AuditSink {
  const sink = [...kernel.services.family(families.auditSink).values()].find((each) => each.read !== undefined);
  if (sink !== undefined) return sink;
  throw auditErrors.TAP_AUDIT_NOT_READABLE({ message: 'no configured audit sink reads back what it has kept' });
}

async function search(parts: AuditParts, parameters: Readonly<Record<string, string>>): Promise<FoundEvents> {
  const { kernel, replica } = parts;
  const { query, range } = auditQuery(parameters);
  const sink = readableSink(parts);
  const read: ReadLines = async (before, max) => (await sink.read?.(range.chain ?? replica, before, max, kernel.platformContext())) ?? [];
  return searchLines(read, query, range);
}

/** Makes audit without a log: all events go to the taps of plugins only. */
export function auditForTaps(parts: Pick<AuditParts, 'kernel' | 'clock' | 'log'>): Audit {
  const policy = compilePolicy({ level: 'Metadata', omitStages: [], rules: [], refusals: true }, isConfidential);
  return auditStage(parts, { policy: () => policy, recordsRefusals: () => true, bodyBytesMax: () => 0 });
}

type Rules = Pick<AuditStageParts, 'policy' | 'recordsRefusals' | 'bodyBytesMax' | 'auditLog'>;

function auditStage({ kernel, clock, log }: Pick<AuditParts, 'kernel' | 'clock' | 'log'>, rules: Rules): Audit {
  const emit = (event: AuditEvent): void => {
    const [failure] = kernel.hooks.observe(hooks.telemetry.audit, event);
    if (failure !== undefined) throw failure.error;
  };
  return createAuditStage({ ...rules, nowMs: () => clock.nowMs(), hasTaps: () => kernel.hooks.has(hooks.telemetry.audit), emit, log });
}

function compiled(settings: AuditSettings): Policy {
  return compilePolicy({ ...settings, omitStages: omittedStages(settings) }, isConfidential);
}

async function openLog(parts: AuditParts, settings: AuditSettings): Promise<AuditLog | undefined> {
  const { replica, clock, random, log } = parts;
  const sinks = sinksOf(parts, settings);
  if (sinks.length === 0) return undefined;
  const checkpoints = await openCheckpoints(parts, settings, replica);
  const { everyEvents, everyMs } = settings.checkpoints;
  const ownEvent = ownEvents(replica, () => clock.nowMs());
  return AuditLog.open({ chain: replica, sinks, checkpoints, everyEvents, everyMs, clock, random, log, ownEvent });
}

async function openCheckpoints(parts: AuditParts, settings: AuditSettings, chain: string): Promise<CheckpointFiles> {
  const { apiDirectory, directory } = parts;
  const placed = (path: string, ...usual: readonly string[]) => (path === '' ? join(apiDirectory, ...usual) : resolve(directory, path));
  return CheckpointFiles.open({
    directory: placed(settings.checkpoints.directory, 'audit-checkpoints'),
    chain,
    key: await openSigningKey(placed(settings.keyFile, 'keys', 'audit.pem')),
    ...(settings.checkpoints.store && { record: recordOf(parts, chain) }),
  });
}

function goneChains(parts: AuditParts, isGone: (chain: string) => boolean, settings: () => AuditSettings): FormerChainsParts {
  const { kernel, replica, clock, random, log } = parts;
  const { everyEvents, everyMs } = settings().checkpoints;
  return {
    async chains() {
      const keeper = [...kernel.services.family(families.auditSink).values()].find((each) => each.end !== undefined);
      return ((await keeper?.chains?.(kernel.platformContext())) ?? []).filter(isGone);
    },
    sinks: () => sinksOf(parts, settings()),
    openCheckpoints: (chain) => openCheckpoints(parts, settings(), chain),
    ownEventOf: (chain) => ownEvents(chain, () => clock.nowMs()),
    stopMsMax: () => settings().stopMsMax,
    replica,
    everyEvents,
    everyMs,
    clock,
    random,
    log,
  };
}

/** The latest checkpoint of a chain has its own key in the store, which no kind shows. */
function recordOf({ store, replica }: AuditParts, chain = replica): CheckpointRecord {
  return storeRecord<{ text: string }>(store, `audit/checkpoint/${chain}`);
}

/** Returns the sinks of all plugins, in the order of the configuration. @throws TAP_AUDIT_SINK_UNKNOWN */
function sinksOf({ kernel }: AuditParts, { sinks: settings }: AuditSettings): readonly LogSink[] {
  const sinks = kernel.services.family(families.auditSink);
  const unknown = Object.keys(settings).find((name) => !sinks.has(name));
  if (unknown !== undefined) {
    throw auditErrors.TAP_AUDIT_SINK_UNKNOWN({
      message: `audit.sinks.${unknown}: no plugin instance of that name provides an audit sink; there are ${[...sinks.keys()].join(', ') || 'none'}`,
      field: `audit.sinks.${unknown}`,
    });
  }
  return [...sinks].map(([name, sink]) => logSink(kernel, name, sink, settings[name] ?? usual));
}

/** The defaults of the schema, for sinks that the section does not name. */
const usual: AuditSettings['sinks'][string] = {
  mode: 'batch',
  onOverflow: 'block',
  waitMsMax: 10_000,
  bufferLinesMax: 10_000,
  bufferBytesMax: 16_777_216,
  gatherMs: 50,
};

function logSink(kernel: Kernel, name: string, sink: AuditSink, settings: AuditSettings['sinks'][string]): LogSink {
  return {
    name,
    settings,
    write: (lines) => sink.write(lines, kernel.platformContext()),
    ...(sink.end !== undefined && { end: async (chain) => (await sink.end?.(chain, kernel.platformContext())) ?? { tornBytes: 0 } }),
    ...(sink.read !== undefined && {
      read: async (chain, before, max) => (await sink.read?.(chain, before, max, kernel.platformContext())) ?? [],
    }),
    ...(sink.hasExpired !== undefined && {
      hasExpired: async (chain) => (await sink.hasExpired?.(chain, kernel.platformContext())) ?? false,
    }),
    ...(sink.remove !== undefined && { remove: async (chain, before) => sink.remove?.(chain, before, kernel.platformContext()) }),
  };
}

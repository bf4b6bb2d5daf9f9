import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hash } from 'node:crypto';
import { AuditLog } from '../../core/dist/telemetry/audit/audit-log.js';
import { createAuditStage } from '../../core/dist/telemetry/audit/audit-stage.js';
import type { AuditedRequest } from '../../core/dist/ports/audit.js';
import { CheckpointFiles } from '../../core/dist/telemetry/audit/checkpoint-files.js';
import { isConfidential } from '../../core/dist/telemetry/audit/confidential.js';
import { eventText } from '../../core/dist/telemetry/audit/event-text.js';
import { ownEvents } from '../../core/dist/telemetry/audit/own-event.js';
import { compilePolicy } from '../../core/dist/telemetry/audit/policy.js';
import { openSigningKey } from '../../core/dist/telemetry/audit/signing-key.js';
import { systemClock } from '../../core/dist/platform/system-clock.js';
import { AuditFiles } from '../../plugins/telemetry-audit-file/dist/audit-files.js';
import type { BenchmarkRow } from './row.ts';

const caller = { name: 'ann@example.com', groups: ['developers', 'system:authenticated'], tenant: 'acme' };
const kind = { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications' };
const requestOf = (n: number): AuditedRequest => ({
  requestId: `r0-mx2wvq84-${n.toString(36)}`,
  receivedAtMs: Date.now(),
  method: 'GET',
  path: `/apis/apps.tappaas.dev/v1alpha1/namespaces/shop/applications/web-${n % 1_000}`,
  query: '',
  engine: 'platform',
  verb: 'get',
  target: { kind, namespace: 'shop', name: `web-${n % 1_000}` },
  caller,
  remoteAddress: '127.0.0.1',
  userAgent: 'kubectl/v1.32.0 (linux/amd64) kubernetes/abcdef0',
});
const state = { status: 200, decision: { decision: 'allow', reason: 'ClusterRoleBinding developers' } } as const;
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: quiet, error: quiet };
const policy = compilePolicy({ level: 'Metadata', omitStages: ['RequestReceived'], rules: [], refusals: true }, isConfidential);

interface Outcome {
  readonly perSecond: number;
  readonly cpuMicroseconds: number;
  readonly bytes: number;
}

/** Requests through the whole stage into a file, from the first to the last that is on the disk. */
async function wholeStage(events: number, inFlight: number): Promise<Outcome> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-bench-'));
  const files = await AuditFiles.open({ directory: join(directory, 'log'), fileBytesMax: 1e9, totalBytesMax: 1e10, keepDays: 1 }, () =>
    Date.now(),
  );
  let bytes = 0;
  const settings = {
    mode: 'batch',
    onOverflow: 'block',
    waitMsMax: 60_000,
    bufferLinesMax: 10_000,
    bufferBytesMax: 16_777_216,
    gatherMs: 50,
  } as const;
  const auditLog = await AuditLog.open({
    chain: 'r0',
    sinks: [{ name: 'audit', settings, write: (lines) => files.write(lines), end: (chain) => files.end(chain) }],
    checkpoints: await CheckpointFiles.open({
      directory: join(directory, 'checkpoints'),
      chain: 'r0',
      key: await openSigningKey(join(directory, 'audit.pem')),
    }),
    everyEvents: 1_000,
    everyMs: 10_000,
    clock: systemClock,
    random: Math.random,
    log,
    ownEvent: ownEvents('r0', Date.now),
  });
  const stage = createAuditStage({
    nowMs: Date.now,
    policy: () => policy,
    recordsRefusals: () => true,
    bodyBytesMax: () => 0,
    auditLog,
    hasTaps: () => false,
    emit: quiet,
    log,
  });
  const before = process.cpuUsage();
  const startMs = performance.now();
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < events) {
      const n = (next += 1);
      const trail = await stage(requestOf(n));
      trail.end(state);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, work));
  await auditLog.stop(60_000);
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(before);
  await files.close();
  const file = await open(join(directory, 'log', 'r0-0000000000000001.audit'));
  bytes = (await file.stat()).size;
  await file.close();
  await rm(directory, { recursive: true });
  return { perSecond: Math.round((events * 1_000) / elapsedMs), cpuMicroseconds: (user + system) / events, bytes: bytes / events };
}

/** The peer: the same number of bytes appended and flushed in batches of the same size, by nobody who numbers, hashes or signs. */
async function plainAppend(events: number, lineBytes: number, batch: number): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-bench-'));
  const file = await open(join(directory, 'plain'), 'a');
  const chunk = Buffer.alloc(Math.round(lineBytes) * batch, 'x');
  const startMs = performance.now();
  for (let written = 0; written < events; written += batch) {
    await file.write(chunk);
    await file.datasync();
  }
  const elapsedMs = performance.now() - startMs;
  await file.close();
  await rm(directory, { recursive: true });
  return Math.round((events * 1_000) / elapsedMs);
}

function microseconds(rounds: number, work: (n: number) => void): number {
  for (let n = 0; n < rounds / 10; n += 1) work(n);
  const startMs = performance.now();
  for (let n = 0; n < rounds; n += 1) work(n);
  return ((performance.now() - startMs) * 1_000) / rounds;
}

/** What `JSON.stringify` of the same event costs. */
function serialised(request: AuditedRequest): string {
  return JSON.stringify({
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: request.requestId,
    stage: 'ResponseComplete',
    requestURI: request.path,
    verb: request.verb,
    user: { username: caller.name, groups: caller.groups },
    sourceIPs: [request.remoteAddress],
    userAgent: request.userAgent,
    objectRef: { resource: kind.plural, namespace: 'shop', name: request.target?.name, apiGroup: kind.group, apiVersion: kind.version },
    responseStatus: { metadata: {}, code: 200 },
    requestReceivedTimestamp: new Date(request.receivedAtMs).toISOString(),
    stageTimestamp: new Date(request.receivedAtMs).toISOString(),
    annotations: {
      'authorization.k8s.io/decision': 'allow',
      'authorization.k8s.io/reason': state.decision.reason,
      'tappaas.dev/tenant': caller.tenant,
    },
  });
}

/** Audit of requests at Metadata: what one costs, and how many a file takes. */
export async function run({ smoke }: { readonly smoke: boolean }): Promise<BenchmarkRow[]> {
  const events = smoke ? 5_000 : 200_000;
  const rounds = smoke ? 5_000 : 200_000;
  const one = requestOf(1);
  let sink = '';
  const text = microseconds(
    rounds,
    () => void (sink = eventText({ level: 'Metadata', stage: 'ResponseComplete', atMs: one.receivedAtMs, request: one, state })),
  );
  const object = microseconds(rounds, () => void (sink = serialised(one)));
  const hashed = microseconds(rounds, (n) => void hash('sha256', sink + n, 'hex'));
  const whole = await wholeStage(events, 64);
  const plain = await plainAppend(events, whole.bytes, 1_000);
  return [
    { name: 'audit: the text of one event', value: text, unit: 'µs', peer: 'JSON.stringify of the same', ratio: text / object },
    { name: 'audit: SHA-256 of one line', value: hashed, unit: 'µs' },
    {
      name: 'audit: requests recorded, chained, signed and on the disk, 64 at a time',
      value: whole.perSecond,
      unit: '1/s',
      peer: 'append + fdatasync of the same bytes, 1,000 lines a time',
      ratio: whole.perSecond / plain,
      target: '≥ 20,000',
    },
    { name: 'audit: processor time of one request, disk included', value: whole.cpuMicroseconds, unit: 'µs' },
    { name: 'audit: size of one line', value: whole.bytes, unit: 'B' },
  ];
}

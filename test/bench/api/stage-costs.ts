/** What each stage of the chain costs a GET of one object, alone and in a loop: what is left of a request is node:http's. */
import { startRealServer } from '../../../core/test/api/real-server.ts';
import { createPreparedAnswers } from '../../../core/dist/api/answer/prepared-answers.js';
import { createTargetReader } from '../../../core/dist/api/request/request-target.js';
import { ConnectionMemory } from '../../../core/dist/api/connection/connection-memory.js';
import { createFlow } from '../../../core/dist/flow/flow.js';
import { defaultFlowSettings } from '../../../core/dist/flow/flow-settings.js';
import { createTokenOf } from '../../../core/dist/identity/stored-token.js';
import { createTokenAuthenticator } from '../../../core/dist/identity/token-authenticator.js';
import { systemClock } from '../../../core/dist/platform/system-clock.js';
import { accessOf } from '../../../core/test/access/access-of.ts';
import type { BenchmarkRow } from '../row.ts';
import { auditStage } from './audited.ts';
import { developerAccess, developerAuthenticator, developerToken } from './developer.ts';
import { memoryStore } from './provided.ts';

const line = '/api/v1/namespaces/default/configmaps/kube-root-ca.crt';
const signal = new AbortController().signal;

function microseconds(rounds: number, work: () => unknown): number {
  let best = Infinity;
  for (let turn = 0; turn < 5; turn += 1) {
    const startMs = performance.now();
    for (let index = 0; index < rounds; index += 1) work();
    best = Math.min(best, ((performance.now() - startMs) * 1000) / rounds);
  }
  return best;
}

export async function stageCosts(smoke: boolean): Promise<BenchmarkRow[]> {
  const rounds = smoke ? 500 : 100_000;
  const server = await startRealServer({ store: await memoryStore() });
  const caller = { name: 'admin', groups: ['system:masters', 'system:authenticated'] };
  const much = { perSecond: 1e7, burst: 1e7 };
  const [reader, clock] = [createTargetReader(), systemClock];
  const { info } = reader('GET', line);
  const target = info.target ?? { kind: { group: '', version: 'v1', plural: 'configmaps' } };
  const { token, stored } = createTokenOf({ name: 'admin', groups: [], createdAtMs: 0 });
  const tokens = createTokenAuthenticator(() => stored, clock);
  const credentials = { headers: { authorization: `Bearer ${token}` }, remoteAddress: '127.0.0.1' };
  const connections = new ConnectionMemory(clock);
  const rawHeaders = ['Host', 'localhost', 'Authorization', `Bearer ${token}`, 'Accept', 'application/json'];
  const request = { method: 'GET', socket: {}, rawHeaders } as unknown as Parameters<ConnectionMemory['keep']>[0];
  connections.keep(request, { caller, credentialId: 'x' }, clock.nowMs());
  const flow = createFlow({ settings: { ...defaultFlowSettings, system: much }, clock });
  const { authorize } = accessOf();
  const plugins = developerAuthenticator();
  const known = { headers: { authorization: `Bearer ${developerToken}` }, remoteAddress: '127.0.0.1' };
  const developer = (await plugins(known))?.caller ?? caller;
  const roles = await developerAccess();
  const audit = await auditStage('none');
  const audited = {
    requestId: 'r0-1',
    receivedAtMs: 0,
    method: 'GET',
    path: line,
    query: '',
    engine: 'platform',
    verb: 'get',
    target,
    caller,
    remoteAddress: '127.0.0.1',
    userAgent: '',
  };
  const namespaces = { kind: { group: '', version: 'v1', plural: 'namespaces' }, name: 'default' };
  const prepared = createPreparedAnswers();
  const served = await server.engine.get(namespaces, { signal });
  const stages: readonly (readonly [string, () => unknown])[] = [
    ['request line, seen before', () => reader('GET', line)],
    ['caller, known from the connection', () => connections.recall(request, clock.nowMs())],
    ['caller, by a token', () => tokens.authenticate(credentials)],
    ['caller, as a plugin has said before', () => plugins(known)],
    ['audit at Metadata, without a sink', () => (audit(audited) as { end(state: object): void }).end({ status: 200, durationMs: 1 })],
    ['rate and seat, with headers', () => (flow({ caller, stream: false, signal }) as { release(): void }).release()],
    ['access, an administrator', () => authorize({ caller, engine: 'platform', verb: 'get', resource: { ...target.kind, name: 'a' } })],
    [
      'access, a developer by roles',
      () =>
        roles.authorize({
          caller: developer,
          engine: 'platform',
          verb: 'get',
          resource: { ...target.kind, namespace: 'default', name: 'a' },
        }),
    ],
    ['the object, up to date', () => server.engine.get(namespaces, { signal })],
    ['its answer, prepared', () => prepared.object(served)],
  ];
  const rows = stages.map(([name, work]) => ({ name: `stage: ${name}`, value: microseconds(rounds, work), unit: 'µs' }));
  await server.close();
  return rows;
}

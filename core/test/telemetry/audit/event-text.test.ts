import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import test from 'ava';
import { assert, constantFrom, oneof, property, string } from 'fast-check';
import type { AuditedRequest, AuditedState } from '../../../dist/ports/audit.js';
import { eventRow, eventText } from '../../../dist/telemetry/audit/event-text.js';

export const request: AuditedRequest = {
  requestId: 'r0-1',
  receivedAtMs: Date.UTC(2026, 0, 2, 3, 4, 5, 6),
  method: 'PUT',
  path: '/apis/apps.tappaas.dev/v1alpha1/namespaces/shop/applications/web/status',
  query: '',
  engine: 'platform',
  verb: 'update',
  target: {
    kind: { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications' },
    namespace: 'shop',
    name: 'web',
    subresource: 'status',
  },
  caller: { name: 'ann', groups: ['developers'], tenant: 'acme' },
  remoteAddress: '127.0.0.1',
  userAgent: 'kubectl/v1.32',
};

const kind = { group: 'apps.tappaas.dev', version: 'v1alpha1', plural: 'applications' };

const state: AuditedState = {
  status: 403,
  errorCode: 'TAP_REQUEST_FORBIDDEN',
  impersonated: { name: 'joe', groups: [] },
  decision: { decision: 'deny', reason: 'no role' },
  annotations: new Map([['graphql.operation', 'Deploy']]),
};

const at = { level: 'Metadata', stage: 'ResponseComplete', atMs: request.receivedAtMs + 2 } as const;

test('an event has the shape of audit.k8s.io/v1', (t) => {
  t.deepEqual(JSON.parse(eventText({ ...at, request, state })), {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: 'Metadata',
    auditID: 'r0-1',
    stage: 'ResponseComplete',
    requestURI: request.path,
    verb: 'update',
    user: { username: 'ann', groups: ['developers'] },
    impersonatedUser: { username: 'joe', groups: [] },
    sourceIPs: ['127.0.0.1'],
    userAgent: 'kubectl/v1.32',
    objectRef: {
      resource: 'applications',
      namespace: 'shop',
      name: 'web',
      apiGroup: 'apps.tappaas.dev',
      apiVersion: 'v1alpha1',
      subresource: 'status',
    },
    responseStatus: { metadata: {}, code: 403, status: 'Failure', reason: 'TAP_REQUEST_FORBIDDEN' },
    requestReceivedTimestamp: '2026-01-02T03:04:05.006000Z',
    stageTimestamp: '2026-01-02T03:04:05.008000Z',
    annotations: {
      'authorization.k8s.io/decision': 'forbid',
      'authorization.k8s.io/reason': 'no role',
      'tappaas.dev/error': 'TAP_REQUEST_FORBIDDEN',
      'tappaas.dev/tenant': 'acme',
      'graphql.operation': 'Deploy',
    },
  });
});

test('whoever nobody knows is anonymous, and an answer that was never given has no status', (t) => {
  const { caller: _, target: __, ...unknown } = request;
  const event = JSON.parse(eventText({ ...at, request: unknown, state: { status: 0 } })) as Record<string, unknown>;
  t.deepEqual(event['user'], { username: 'system:anonymous', groups: ['system:unauthenticated'] });
  t.false('responseStatus' in event);
  t.deepEqual(event['annotations'], { 'tappaas.dev/outcome': 'unanswered' });
});

test('values in the query under names that sound like credentials are left out, however the name is written', (t) => {
  const query = 'limit=5&access_token=canary&%74oken=canary&%ZZ=canary&fieldManager=kubectl';
  const { requestURI } = JSON.parse(eventText({ ...at, request: { ...request, query } })) as { requestURI: string };
  t.is(requestURI, `${request.path}?limit=5&access_token=[redacted]&%74oken=[redacted]&%ZZ=[redacted]&fieldManager=kubectl`);
});

test('no text of a caller can break out of its place or its line', (t) => {
  const hostile = oneof(
    string({ unit: 'binary' }),
    constantFrom('"}\n{"kind":"Event"}', '\\"', '\u2028', '\u0085', '\u007f', '\u202e', '\u2066', '\ud800', '","verb":"get'),
  );
  assert(
    property(hostile, hostile, hostile, (name, agent, note) => {
      const reported = { ...request, caller: { name, groups: [name] }, userAgent: agent.slice(0, 256), target: { kind, name } };
      const text = eventText({ ...at, request: reported, state: { ...state, annotations: new Map([[note, note]]) } });
      t.notRegex(text, /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u);
      const event = JSON.parse(text) as { user: { username: string }; objectRef: { name: string }; verb: string; annotations: object };
      t.is(event.user.username.toWellFormed(), name.toWellFormed());
      t.is(event.objectRef.name.toWellFormed(), name.toWellFormed());
      t.is(event.verb, 'update');
    }),
  );
});

test('the text that requests share keeps no request alive', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const kept = ((): readonly WeakRef<object>[] => {
    const moment = { level: 'Metadata', stage: 'ResponseComplete', atMs: 1, request: { ...request }, state: { status: 200 } } as const;
    const { form } = eventRow(moment);
    t.is(eventRow({ ...moment, request: { ...request, requestId: 'r0-2' }, state: { status: 200 } }).form, form);
    return [moment, moment.request, moment.state].map((each) => new WeakRef<object>(each));
  })();
  await new Promise((resolve) => setImmediate(resolve));
  collect();
  t.deepEqual(
    kept.map((each) => each.deref()),
    [undefined, undefined, undefined],
  );
});

test('what anybody may send as long as he likes is cut, and says so', (t) => {
  const long = 'x'.repeat(8_000);
  const target = { kind: { group: '', version: 'v1', plural: long }, namespace: long, name: long, subresource: long };
  const text = eventText({ ...at, request: { ...request, userAgent: long, path: `/${long}`, verb: long, target } });
  t.true(text.length < 5_000, String(text.length));
  const event = JSON.parse(text) as { userAgent: string; requestURI: string; objectRef: { name: string } };
  t.is(event.userAgent, `${'x'.repeat(256)}…`);
  t.is(event.requestURI.length, 1025);
  t.true(event.objectRef.name.endsWith('…'));
});

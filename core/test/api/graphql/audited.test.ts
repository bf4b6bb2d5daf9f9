import type { AuditEvent } from '@tappaas/sdk';
import test, { type ExecutionContext } from 'ava';
import { isConfidential } from '../../../dist/telemetry/audit/confidential.js';
import { createAuditStage } from '../../../dist/telemetry/audit/audit-stage.js';
import { compilePolicy, type PolicyRule, type PolicySettings } from '../../../dist/telemetry/audit/policy.js';
import { quietLog } from '../running-server.ts';
import { application, kindPaths, release, startGraphql } from './graphql-server.ts';

const secrets = { group: '', version: 'v1', plural: 'secrets', kind: 'Secret' };

/** GraphQL with the stage of audit that the platform has; what it records at the end of things. */
async function recorded(t: ExecutionContext, policy: Partial<PolicySettings> = {}) {
  const events: AuditEvent[] = [];
  const compiled = compilePolicy({ level: 'Metadata', omitStages: [], rules: [], refusals: true, ...policy }, isConfidential);
  const audit = createAuditStage({
    nowMs: () => Date.now(),
    policy: () => compiled,
    recordsRefusals: () => true,
    bodyBytesMax: () => 10_000,
    hasTaps: () => true,
    emit: (event) => void (event.stage === 'ResponseComplete' && events.push(event)),
    log: quietLog,
  });
  const server = await startGraphql(t, { audit });
  for (const name of ['one', 'two']) {
    await server.put(secrets, { metadata: { name, namespace: 'team' }, stringData: { password: `canary-${name}` } });
  }
  return { ...server, events };
}

/** An event as somebody looks for it. */
const reported = ({ verb, objectRef, responseStatus, auditID }: AuditEvent) => [
  verb,
  objectRef && [objectRef.resource, objectRef.subresource].filter(Boolean).join('/'),
  objectRef && [objectRef.namespace, objectRef.name].filter(Boolean).join('/'),
  responseStatus?.code,
  auditID.length > 0,
];

test('each kind and object that a query reads is an event by itself, under the id of the request, and says why it was allowed', async (t) => {
  const { ask, events } = await recorded(t);
  for (const way of ['executed', 'compiled']) {
    const { json } = await ask(`query Innocent {
      secrets(namespace: "team") { nodes { name data { key value } } }
      secret(namespace: "team", name: "one") { data { key } }
      again: secret(namespace: "team", name: "one") { name }
      missing: secret(namespace: "team", name: "none") { name }
    }`);
    t.is(json.data.secrets.nodes.length, 2, way);
    t.deepEqual(events.map(reported), [
      ['list', 'secrets', 'team', 200, true],
      ['get', 'secrets', 'team/one', 200, true],
      ['get', 'secrets', 'team/none', 404, true],
      ['post', undefined, undefined, 200, true],
    ]);
    t.is(new Set(events.map(({ auditID }) => auditID)).size, 1);
    for (const { annotations } of events) {
      t.is(annotations?.['authorization.k8s.io/decision'], 'allow');
      t.is(annotations?.['graphql.operation'], 'query Innocent');
    }
    t.false(JSON.stringify(events).includes('canary'));
    events.length = 0;
  }
});

test('nested reads are audited, too', async (t) => {
  const { ask, events, put } = await recorded(t);
  const made = await put(kindPaths.applications, application('shop'));
  await put(kindPaths.releases, release(made, 1));
  await ask('{ applications(namespace: "team") { nodes { releases(first: 5) { object { name } } } } }');
  t.deepEqual(events.map(reported).slice(0, -1), [
    ['list', 'applications', 'team', 200, true],
    ['list', 'releases', '', 200, true],
    ['get', 'applications', 'team/shop', 200, true],
  ]);
});

test('a read that is refused is found by its 403, by what it was about and by who asked', async (t) => {
  const { ask, events } = await recorded(t);
  await ask('{ secrets(namespace: "other") { nodes { name } } }', undefined, { as: 'team' });
  const [refused, request] = events;
  t.deepEqual(refused && reported(refused), ['list', 'secrets', 'other', 403, true]);
  t.is(refused?.annotations?.['authorization.k8s.io/decision'], 'forbid');
  t.is(refused?.annotations?.['tappaas.dev/error'], 'TAP_REQUEST_FORBIDDEN');
  t.is(refused?.annotations?.['tappaas.dev/tenant'], 'acme');
  t.is(refused?.user?.username, 'team');
  t.is(request?.responseStatus?.code, 200);
});

test('beyond fifty reads of an operation those of a kind in a namespace are told together, and none is hidden behind them', async (t) => {
  const { ask, events, put } = await recorded(t);
  for (let n = 0; n < 60; n += 1) await put(kindPaths.configMaps, { metadata: { name: `plain-${n}`, namespace: 'team' } });
  const page = await ask('{ configMaps(namespace: "team", first: 60) { nodes { id } } secret(namespace: "team", name: "one") { id } }');
  const ids = page.json.data.configMaps.nodes.map(({ id }: { id: string }) => id);
  events.length = 0;
  await ask('query Many($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: [...ids, page.json.data.secret.id] });
  const named = events.filter(({ objectRef }) => objectRef?.name !== undefined);
  t.is(named.length, 50);
  t.deepEqual(events.filter((event) => !named.includes(event)).map(reported), [
    ['get', 'configmaps', 'team', 200, true],
    ['get', 'secrets', 'team', 200, true],
    ['post', undefined, undefined, 200, true],
  ]);
});

const create = `mutation Many($input: CreateApplicationInput!) {
  made: createApplication(input: $input) { userErrors { code } }
  again: createApplication(input: $input) { userErrors { code } }
  tried: deleteApplication(input: { namespace: "team", name: "shop", dryRun: true }) { userErrors { code } }
}`;
const { spec } = application('shop');
const input = { namespace: 'team', name: 'shop', spec };

test('each change of a mutation is an event with the status that REST would have answered, whatever the request is answered', async (t) => {
  const { ask, events } = await recorded(t);
  await ask(create, { input });
  await ask('mutation { deleteApplication(input: { namespace: "team", name: "shop" }) { userErrors { code } } }', undefined, {
    as: 'viewer',
  });
  t.deepEqual(events.map(reported), [
    ['create', 'applications', 'team/shop', 201, true],
    ['create', 'applications', 'team/shop', 409, true],
    ['delete', 'applications', 'team/shop', 200, true],
    ['post', undefined, undefined, 200, true],
    ['delete', 'applications', 'team/shop', 403, true],
    ['post', undefined, undefined, 200, true],
  ]);
  t.deepEqual(
    events.map(({ annotations }) => annotations?.['tappaas.dev/dry-run']),
    [undefined, undefined, 'true', undefined, undefined, undefined],
  );
});

const rule: PolicyRule = { level: 'None', users: [], groups: [], verbs: [], resources: [], namespaces: [], paths: [], omitStages: [] };

test('the audit policy judges what is done over GraphQL by verb, resource and namespace, with bodies where it says so', async (t) => {
  const rules: PolicyRule[] = [
    { ...rule, resources: [{ group: '', resources: ['configmaps'], names: [] }] },
    { ...rule, level: 'RequestResponse', verbs: ['create'], namespaces: ['team'] },
  ];
  const { ask, events } = await recorded(t, { rules });
  await ask(create, { input });
  await ask('{ configMaps { nodes { name } } }');
  t.deepEqual(
    events.map(({ verb, level, requestObject, responseObject }) => [
      verb,
      level,
      requestObject !== undefined,
      responseObject !== undefined,
    ]),
    [
      ['create', 'RequestResponse', true, true],
      ['create', 'RequestResponse', true, false],
      ['delete', 'Metadata', false, false],
      ['post', 'Metadata', false, false],
      ['post', 'Metadata', false, false],
    ],
  );
});

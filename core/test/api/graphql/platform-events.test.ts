import { setTimeout as delay } from 'node:timers/promises';
import test from 'ava';
import { kindPaths, startGraphql, type TestObject } from './graphql-server.ts';
import { connect } from './subscriber.ts';

test('what happens to the platform is followed, and what is told about anything else is left out', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.namespaces, { metadata: { name: 'default' } });
  const about = async (name: string, involvedObject: object) =>
    server.put(kindPaths.events, {
      metadata: { name: name.toLowerCase(), namespace: 'default' },
      involvedObject,
      type: 'Warning',
      reason: name,
    });
  const plugin = { apiVersion: 'platform.tappaas.dev/v1alpha1', kind: 'Plugin', name: 'quota', uid: 'u' };
  await about('Before', plugin);
  const { follow } = connect(t, server.port);
  const events = follow('subscription { platformEvents { type resourceVersion object { reason involvedObject { name } } } }');
  const { object, resourceVersion } = (await events.next()).data.platformEvents;
  t.deepEqual(object, { reason: 'Before', involvedObject: { name: 'quota' } });
  await about('Elsewhere', { apiVersion: 'v1', kind: 'Pod', name: 'quota', uid: 'v' });
  await about('BreakerOpen', plugin);
  t.is((await events.next()).data.platformEvents.object.reason, 'BreakerOpen');
  const resumed = follow('subscription R($since: String) { platformEvents(since: $since) { object { reason } } }', {
    since: resourceVersion,
  });
  t.is((await resumed.next()).data.platformEvents.object.reason, 'BreakerOpen');
  const [error] = (await connect(t, server.port, 'team').follow('subscription { platformEvents { type } }').ended) as {
    extensions: { code: string };
  }[];
  t.is(error?.extensions.code, 'TAP_REQUEST_FORBIDDEN');
});

test('who is of a tenant is told what happens to what is the tenant’s, and nothing else of the platform', async (t) => {
  const server = await startGraphql(t);
  await server.put(kindPaths.namespaces, { metadata: { name: 'default' } });
  const about = async (reason: string, kind: string, { metadata: { name, uid } }: TestObject) =>
    server.put(kindPaths.events, {
      metadata: { name: reason.toLowerCase(), namespace: 'default' },
      involvedObject: { apiVersion: 'platform.tappaas.dev/v1alpha1', kind, name, uid },
      type: 'Normal',
      reason,
    });
  const put = (name: string) => server.put(kindPaths.tenants, { metadata: { name }, spec: {} });
  const [acme, other] = [await put('acme'), await put('other')];
  await about('Before', 'Tenant', acme);
  const { follow } = connect(t, server.port, 'customer');
  const query = 'subscription E($since: String) { platformEvents(since: $since) { type resourceVersion object { reason } } }';
  const events = follow(query);
  const { object, resourceVersion } = (await events.next()).data.platformEvents;
  t.is(object.reason, 'Before');
  await about('OfAnother', 'Tenant', other);
  await about('OfThePlatform', 'Platform', { metadata: { name: 'platform', uid: 'platform' } });
  await about('OfAPlugin', 'Plugin', { metadata: { name: 'quota', uid: 'q' } });
  await about('OfWhatIsNotThere', 'Nothing', acme);
  await about('OfTheSameNameBefore', 'Tenant', { metadata: { name: 'acme', uid: 'before' } });
  await about('After', 'Tenant', acme);
  t.is((await events.next()).data.platformEvents.object.reason, 'After');
  t.is((await follow(query, { since: resourceVersion }).next()).data.platformEvents.object.reason, 'After');
  const everything = connect(t, server.port).follow(query);
  const all = [];
  for (let index = 0; index < 7; index += 1) all.push((await everything.next()).data.platformEvents.object.reason);
  t.deepEqual(all, ['After', 'Before', 'OfAnother', 'OfAPlugin', 'OfThePlatform', 'OfTheSameNameBefore', 'OfWhatIsNotThere']);
  const stopped = follow(query);
  await stopped.next();
  stopped.stop();
  await stopped.ended;
  while (!server.audited.some(({ verb }) => verb === 'watch')) await delay(5);
  const { target, outcome } = server.audited.find(({ verb }) => verb === 'watch') ?? {};
  t.deepEqual([target?.kind.plural, target?.name, outcome?.status, outcome?.decision?.decision], ['tenants', 'acme', 200, 'allow']);
});

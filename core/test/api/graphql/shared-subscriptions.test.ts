import { once } from 'node:events';
import test from 'ava';
import type { ServedField } from '../../../dist/api/contributions.js';
import { application, kindPaths, release, startGraphql, type GraphqlServerOptions } from './graphql-server.ts';
import { connect, update, withPod } from './subscriber.ts';

/** A field of applications that a plugin has added. */
function pluggedField(name: string, resolve: ServedField['resolve']): ServedField {
  const about = { group: 'apps.tappaas.dev', kind: 'Application', description: 'Of a plugin.', args: {}, costPerObject: 1 };
  return { ...about, name, type: { type: 'integer', maximum: 1_000_000 }, resolve };
}

test('a change is worked out once for all who follow it in the same way', async (t) => {
  let resolved = 0;
  const counting = pluggedField('counted', async (objects) => {
    resolved += 1;
    return objects.map(() => resolved);
  });
  const fields = [counting];
  const server = await startGraphql(t, { fields: () => fields });
  await server.put(kindPaths.applications, application('shop'));
  const query = 'subscription { applicationChanges(namespace: "team") { type object { name counted } } }';
  const connections = Array.from({ length: 5 }, () => connect(t, server.port));
  const followers = connections.flatMap(({ follow }) => Array.from({ length: 4 }, () => follow(query)));
  await Promise.all(followers.map((each) => each.next()));
  const before = resolved;
  await update(server, 'shop', { labels: [{ key: 'color', value: 'blue' }] });
  const second = await Promise.all(followers.map((each) => each.next()));
  t.is(resolved, before + 1);
  t.deepEqual(second[0].data.applicationChanges, { type: 'MODIFIED', object: { name: 'shop', counted: before + 1 } });
  const others = connect(t, server.port, 'viewer').follow(query);
  t.is((await others.next()).data.applicationChanges.object.counted, before + 2);
});

test('what is told besides the object is read anew for whoever begins later', async (t) => {
  const pods = { phase: 'Pending' };
  const server = await withPod(t, { status: pods });
  const query = 'subscription { applicationChanges(namespace: "team", name: "shop") { object { pods { phase } } } }';
  const first = connect(t, server.port).follow(query);
  t.deepEqual((await first.next()).data.applicationChanges.object.pods, [{ phase: 'Pending' }]);
  pods.phase = 'Running';
  const second = connect(t, server.port).follow(query);
  t.deepEqual((await second.next()).data.applicationChanges.object.pods, [{ phase: 'Running' }]);
});

test('a right to what is told besides the object is asked for whenever somebody begins', async (t) => {
  const rights = { mayListReleases: true };
  const authorize: GraphqlServerOptions['authorize'] = ({ verb, resource }) =>
    verb === 'list' && resource?.plural === 'releases' && !rights.mayListReleases
      ? { decision: 'deny', reason: 'not any more' }
      : { decision: 'allow', reason: '' };
  const server = await startGraphql(t, { authorize });
  await server.put(kindPaths.releases, release(await server.put(kindPaths.applications, application('shop')), 1));
  const query = 'subscription { applicationChanges(namespace: "team") { object { releases(first: 1) { name } } } }';
  const first = connect(t, server.port).follow(query);
  t.deepEqual((await first.next()).data.applicationChanges.object.releases, [{ name: 'shop-1' }]);
  rights.mayListReleases = false;
  const { data, errors } = await connect(t, server.port).follow(query).next();
  t.deepEqual([data.applicationChanges.object, errors[0].extensions.code], [null, 'TAP_REQUEST_FORBIDDEN']);
});

test('what is told besides the object is not shared with the same person who comes in another way, as access may differ by it', async (t) => {
  const rights = { mayListForOthers: true };
  const authorize: GraphqlServerOptions['authorize'] = ({ caller, verb, resource }) =>
    verb === 'list' && resource?.plural === 'releases' && caller.impersonator !== undefined && !rights.mayListForOthers
      ? { decision: 'deny', reason: 'not on behalf of others' }
      : { decision: 'allow', reason: '' };
  const authenticate: GraphqlServerOptions['authenticate'] = ({ headers }) => {
    const isActing = headers['authorization'] === 'Bearer acting';
    return { caller: { name: 'joe', groups: [], ...(isActing && { impersonator: 'ann' }) }, credentialId: `${isActing}` };
  };
  const server = await startGraphql(t, { authorize, authenticate });
  await server.put(kindPaths.releases, release(await server.put(kindPaths.applications, application('shop')), 1));
  const query =
    'subscription { applicationChanges(namespace: "team") { object { metadata { resourceVersion } releases(first: 1) { name } } } }';
  const [own, acting] = [connect(t, server.port, 'own').follow(query), connect(t, server.port, 'acting').follow(query)];
  await Promise.all([own.next(), acting.next()]);
  rights.mayListForOthers = false;
  await update(server, 'shop', { labels: [{ key: 'color', value: 'blue' }] });
  t.deepEqual((await own.next()).data.applicationChanges.object.releases, [{ name: 'shop-1' }]);
  t.is((await acting.next()).errors[0].extensions.code, 'TAP_REQUEST_FORBIDDEN');
});

test('who leaves while a change is worked out takes nothing from the others', async (t) => {
  // Objects that are held on to are the same for the second.
  const requested: (readonly object[])[] = [];
  const working = Promise.withResolvers<void>();
  const slow = pluggedField('slow', async (objects, _, { signal }) => {
    if (requested.push(objects) > 1) return objects.map(() => 2);
    working.resolve();
    await once(signal, 'abort');
    throw signal.reason;
  });
  const fields = [slow];
  const server = await startGraphql(t, { fields: () => fields });
  await server.put(kindPaths.applications, application('shop'));
  const query = 'subscription { applicationChanges(namespace: "team") { object { slow } } }';
  const first = connect(t, server.port).follow(query);
  await working.promise;
  const second = connect(t, server.port).follow(query);
  first.stop();
  t.deepEqual(await second.next(), { data: { applicationChanges: { object: { slow: 2 } } } });
  t.is(requested.length, 2);
});

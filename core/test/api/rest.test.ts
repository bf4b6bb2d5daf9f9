import test from 'ava';
import { openWatch, startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps';

test('an object is created, read, listed, changed and deleted', async (t) => {
  const { ask, engine } = await startServer(t);
  const created = await ask(path, { method: 'POST', body: { metadata: { name: 'a', namespace: 'default' }, data: { x: '1' } } });
  t.is(created.status, 201);
  t.is(created.headers['etag'], `"${created.json.metadata.resourceVersion}"`);
  const got = await ask(`${path}/a`);
  t.is(got.status, 200);
  t.deepEqual(got.json, created.json);
  t.is(got.headers['content-type'], 'application/json');
  const list = await ask(path);
  t.is(list.json.kind, 'ConfigMapList');
  t.deepEqual(list.json.items, [created.json]);
  const updated = await ask(`${path}/a`, { method: 'PUT', body: { metadata: { name: 'a', namespace: 'default' } } });
  t.is(updated.status, 200);
  const deleted = await ask(`${path}/a`, { method: 'DELETE' });
  t.is(deleted.status, 200);
  t.is(deleted.json.status, 'Success');
  t.is((await ask(`${path}/a`)).status, 404);
  t.deepEqual(
    engine.writes.map(({ write }) => write.verb),
    ['create', 'update', 'delete'],
  );
});

test('a watch tells what is there and then what happens', async (t) => {
  const { engine, port } = await startServer(t);
  engine.put('default', 'a', {});
  const watch = await openWatch(port, `${path}?watch=1&resourceVersion=0`);
  t.is(watch.status, 200);
  t.is((await watch.next()).object.metadata.name, 'a');
  engine.put('default', 'a', { x: '1' });
  const event = await watch.next();
  t.is(event.type, 'MODIFIED');
  t.deepEqual(event.object.data, { x: '1' });
  watch.close();
});

test('discovery names what is served, whole and per group', async (t) => {
  const { ask } = await startServer(t);
  t.deepEqual((await ask('/api')).json.versions, ['v1']);
  t.is((await ask('/api/v1')).json.resources[0].name, 'configmaps');
  t.deepEqual((await ask('/apis')).json.groups, []);
  const accept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
  const aggregated = await ask('/api', { headers: { accept } });
  t.is(aggregated.json.kind, 'APIGroupDiscoveryList');
  t.is((await ask('/version')).json.major, '1');
});

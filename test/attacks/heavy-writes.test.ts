/** A principal with expensive requests next to one with cheap requests. */
import test from 'ava';
import { call, storeOnly } from '../platform-process.ts';
import { make, runPlatform } from './running-platform.ts';

const configMaps = '/api/v1/namespaces/default/configmaps';
const rbac = '/apis/rbac.authorization.k8s.io/v1';

test('who writes large objects on many connections makes another wait for one of them, not for all', async (t) => {
  t.timeout(120_000);
  const platform = await runPlatform(storeOnly);
  t.teardown(() => platform.stop());
  const { connection } = platform;
  const [loud, quiet] = [await platform.as('loud'), await platform.as('quiet')];
  const rules = [{ apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'create'] }];
  const subjects = ['loud', 'quiet'].map((name) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name }));
  await make(connection, `${rbac}/clusterroles`, { metadata: { name: 'all' }, rules });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'all' };
  await make(connection, `${rbac}/clusterrolebindings`, { metadata: { name: 'all' }, roleRef, subjects });
  await make(connection, configMaps, { metadata: { name: 'small' } });
  const data = Object.fromEntries(Array.from({ length: 15_000 }, (_, index) => [`k${index}`, 'v']));
  const over = new AbortController();
  let written = 0;
  const soFar = (): number => written;
  const flood = Array.from({ length: 8 }, async () => {
    while (!over.signal.aborted) {
      const { status } = await call(loud, 'POST', `${configMaps}?dryRun=All`, { metadata: { name: 'large' }, data });
      written += status === 201 ? 1 : 0;
      if (over.signal.aborted) return;
    }
  });
  while (soFar() === 0) await call(quiet, 'GET', `${configMaps}/small`);
  const waited: number[] = [];
  for (let sent = 0; sent < 40; sent += 1) {
    const before = written;
    t.is((await call(quiet, 'GET', `${configMaps}/small`)).status, 200);
    waited.push(written - before);
  }
  over.abort();
  await Promise.all(flood);
  t.true(Math.max(...waited) <= 2, `large writes within one small read: ${waited.join(' ')}`);
  t.is(waited.filter((writes) => writes === 0).length > 20, true, 'most meet none');
});

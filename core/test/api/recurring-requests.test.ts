import type { Authorizer } from '@tappaas/sdk';
import test from 'ava';
import { accessOf } from '../access/access-of.ts';
import { startServer } from './running-server.ts';

const path = '/api/v1/namespaces/default/configmaps/a';

test('a read that is asked for again is not decided again, until its authorizer says that answers may be others', async (t) => {
  const requested: string[] = [];
  const state = { revision: {}, decision: 'allow' as 'allow' | 'no-opinion' };
  const authorizer: Authorizer = {
    get revision() {
      return state.revision;
    },
    authorize: ({ verb, resource }) => {
      requested.push(`${verb} ${resource?.name}`);
      return { decision: state.decision, reason: '' };
    },
  };
  const identity = { caller: { name: 'ann', groups: [] }, credentialId: 'ann' };
  const { port, engine } = await startServer(t, { authenticate: () => identity, authorize: accessOf([authorizer]).authorize });
  engine.put('default', 'a', {});
  const get = async (query = ''): Promise<number> => (await fetch(`http://127.0.0.1:${port}${path}${query}`)).status;
  t.deepEqual([await get(), await get(), await get(), await get()], [200, 200, 200, 200]);
  t.deepEqual(requested, ['get a', 'get a'], 'the second time shows that it recurs');
  t.is((await fetch(`http://127.0.0.1:${port}${path}`, { method: 'DELETE' })).status, 200);
  t.deepEqual(requested.splice(0), ['get a', 'get a', 'delete a'], 'a write is decided every time');
  engine.put('default', 'a', {});
  Object.assign(state, { revision: {}, decision: 'no-opinion' });
  t.deepEqual([await get(), await get()], [403, 403]);
  t.is(await get('?pretty=true'), 403);
  t.deepEqual(requested, ['get a', 'get a']);
});

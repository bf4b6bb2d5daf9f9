import test from 'ava';
import { auditServer } from 'graphql-http';
import { startGraphql } from './graphql-server.ts';

test('GraphQL over HTTP is spoken as its specification says: the audits of graphql-http find no error', async (t) => {
  const { port } = await startGraphql(t);
  const results = await auditServer({
    url: `http://127.0.0.1:${port}/graphql`,
    fetchFn: (url: string, init: RequestInit = {}) => {
      const headers = new Headers(init.headers);
      headers.set('authorization', 'Bearer admin');
      return fetch(url, { ...init, headers });
    },
  });
  t.true(results.length > 40);
  const reported = results.filter(({ status }) => status !== 'ok').map((result) => `${result.status} ${result.name}`);
  t.log(`${results.filter(({ status }) => status === 'ok').length} of ${results.length} ok; ${reported.join('; ')}`);
  t.deepEqual(
    results.filter(({ status }) => status === 'error').map(({ name }) => name),
    [],
  );
});

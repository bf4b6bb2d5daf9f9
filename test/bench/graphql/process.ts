/** One server in a process of its own: GraphQL as we serve it, or a default Apollo Server with the same schema over the same engine. */
import { createRequire } from 'node:module';
import type { Key } from '@tappaas/sdk';
import { composeSchema } from '../../../core/dist/api/graphql/schema/compose.js';
import type { ServedKind } from '../../../core/dist/ports/engine.js';
import { application, kindPaths, startGraphql } from '../../../core/test/api/graphql/graphql-server.ts';

const objects = 100;
const ofCore = createRequire(new URL('../../../core/package.json', import.meta.url));

// Audit is told as ever; that the tests keep what it hears would be measured as garbage.
const server = await startGraphql({ teardown: () => {} }, { audit: () => ({ end: () => {} }) });
for (let index = 0; index < objects; index += 1) await server.put(kindPaths.applications, application(`app-${index}`));

async function startApollo(): Promise<number> {
  const { ApolloServer } = ofCore('@apollo/server') as typeof import('@apollo/server');
  const { expressMiddleware } = ofCore('@as-integrations/express5') as typeof import('@as-integrations/express5');
  const express = ofCore('express') as typeof import('express');
  const { engine } = server;
  const { signal } = new AbortController();
  const pathOf = ({ group, version, plural }: ServedKind) => ({ group, version, plural });
  // What our own resolvers read through, without a look at who asks.
  const reader = {
    get: async (kind: ServedKind, key: Key) => (await engine.getMany(pathOf(kind), [key], { signal }))[0]?.object,
    list: (kind: ServedKind, { namespace = '', first }: { readonly namespace?: string; readonly first: number }) =>
      engine.list({ target: { kind: pathOf(kind), namespace }, limit: first, signal }),
  };
  const apollo = new ApolloServer({ schema: composeSchema({ kinds: engine.kinds(), actions: [], fields: [] }) });
  await apollo.start();
  const app = express();
  app.use('/graphql', express.json(), expressMiddleware(apollo, { context: async () => ({ reader }) }));
  return new Promise((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => {
      listening.keepAliveTimeout = 60_000;
      const address = listening.address();
      resolve(typeof address === 'object' && address !== null ? address.port : 0);
    });
  });
}

const port = process.argv[2] === 'TAPPaaS' ? server.port : await startApollo();
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.({ cpuUs: user + system });
});
process.send?.({ port });

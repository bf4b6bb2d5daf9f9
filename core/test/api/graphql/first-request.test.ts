/** What the first request makes the process load, in a process that has loaded nothing of it before. */
import { registerHooks } from 'node:module';
import test from 'ava';
import { startGraphql } from './graphql-server.ts';

/** The parts of GraphQL that are large, by the first of their modules. */
const parts: Readonly<Record<string, RegExp>> = {
  graphql: /node_modules\/graphql\/index\./,
  apollo: /node_modules\/@apollo\/server\/dist\/esm\/index\.js$/,
  compiler: /node_modules\/graphql-jit\/dist\//,
  service: /core\/dist\/api\/graphql\/service\.js$/,
};

test('the first request loads each large part of GraphQL in a turn of its own, so that others are answered between', async (t) => {
  let turns = 0;
  let isOver = false;
  const count = (): void => {
    turns += 1;
    if (!isOver) setImmediate(count);
  };
  const turnOf = new Map<string, number>();
  const hooks = registerHooks({
    load(url, context, next) {
      const [part] = Object.entries(parts).find(([, pattern]) => pattern.test(url)) ?? [];
      if (part !== undefined && !turnOf.has(part)) turnOf.set(part, turns);
      return next(url, context);
    },
  });
  t.teardown(() => hooks.deregister());
  const server = await startGraphql(t);
  t.deepEqual([...turnOf], [], 'nothing is loaded before');
  count();
  const { json } = await server.ask('{ viewer { name } }');
  isOver = true;
  t.deepEqual(json, { data: { viewer: { name: 'admin' } } });
  t.deepEqual([...turnOf.keys()].toSorted(), Object.keys(parts).toSorted());
  t.is(new Set(turnOf.values()).size, turnOf.size, JSON.stringify([...turnOf]));
});

/** Requests every route and verb of a running platform as six users: access is as in the table, which has a row for each. */
import test, { type ExecutionContext } from 'ava';
import { accessCheck, differences, type AccessCheck } from './comparison.ts';
import { fieldQuestions, nestedFields } from './graphql-fields.ts';
import { GraphqlWorld } from './graphql-schema.ts';
import { mutationQuestions, queryQuestions, subscriptionQuestions } from './graphql.ts';
import { changeWithOperation, narrowDifferences, narrowQuestions } from './narrow-rights.ts';
import { objectQuestions } from './objects.ts';
import { pathQuestions } from './paths.ts';
import { unusedRows } from './table.ts';
import { letInto } from './wires.ts';
import { rbac, startAccessWorld, type AccessWorld } from './world.ts';

let world: AccessWorld;
let graphql: GraphqlWorld;

test.before('a platform with two tenants and everything that is shipped runs', async (t) => {
  t.timeout(180_000);
  world = await startAccessWorld();
  graphql = await GraphqlWorld.of(world);
});

test.after.always('the platform is stopped', () => world?.stop());

async function compare(t: ExecutionContext, all: readonly AccessCheck[]): Promise<void> {
  t.timeout(240_000);
  t.deepEqual(await differences(all), []);
}

test.serial('every verb of every kind of the platform lets in whom the table says', async (t) => {
  const questions = await objectQuestions(world, 'platform', '', 'shop');
  await compare(
    t,
    questions.map((each) => accessCheck(world, each)),
  );
});

test.serial('every verb of every kind of a cluster lets in whom the table says', async (t) => {
  const questions = await objectQuestions(world, 'cluster', '/clusters/local', 'tappaas-shop');
  await compare(
    t,
    questions.map((each) => accessCheck(world, each)),
  );
});

test.serial('everything that is spoken over a WebSocket, and every room, lets in whom the table says', async (t) => {
  const served = world.platform.paths().filter((text) => /^(UPGRADE|ROOM) /.test(text));
  t.true(served.length > 5);
  await compare(
    t,
    served.map((text) => ({ engine: 'platform', needs: [`${text} path`], where: text, allowed: () => letInto(world, text) })),
  );
});

test.serial('every path that is not about objects lets in whom the table says', async (t) => {
  const questions = pathQuestions(world);
  await compare(
    t,
    questions.map((each) => accessCheck(world, each)),
  );
});

test.serial('every field of Query lets in whom the table says', async (t) => {
  const seen = await world.sendAs('administrator', 'POST', `${rbac}/namespaces/shop/roles`, { metadata: { name: 'seen' }, rules: [] });
  t.is(seen.status, 201, seen.text);
  await compare(t, await queryQuestions(graphql));
});

test.serial('every field that leads from an object to others, or to what they do, lets in whom the table says', async (t) => {
  await compare(t, await fieldQuestions(graphql));
});

test.serial(
  'who may see an object and nothing else is refused every field that leads to others, until they may see these, too',
  async (t) => {
    t.timeout(240_000);
    const questions = narrowQuestions(await nestedFields(graphql));
    t.true(questions.length > 10);
    t.deepEqual(await narrowDifferences(world, [...questions, changeWithOperation]), []);
  },
);

test.serial('every mutation of GraphQL lets in whom the table says of its verb and kind', async (t) => {
  await compare(t, mutationQuestions(graphql));
});

test.serial('every subscription of GraphQL lets in whom the table says of watching its kind', async (t) => {
  await compare(t, subscriptionQuestions(graphql));
});

test.serial('no row of the table is about something that is not served', (t) => {
  t.deepEqual(unusedRows(), []);
});

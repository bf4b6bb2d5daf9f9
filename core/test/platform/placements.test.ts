import test from 'ava';
import { placementsOf } from '../../dist/platform/clusters/placements.js';

const decided = (namespace: string, name: string, atMs: number, node?: string, instance = name.split('-')[0] ?? '') => ({
  pod: { namespace, name, uid: `${namespace}-${name}`, instance },
  atMs,
  attempt: 1,
  outcome: node === undefined ? ('unschedulable' as const) : ('placed' as const),
  nodes: 1,
  feasibleNodes: node === undefined ? 0 : 1,
  refused: [],
  ...(node === undefined ? { message: 'there is no node' } : { chosen: { node, total: 1, parts: [] } }),
  retryOn: [],
});

const there = async (namespace: string): Promise<string> => `on-${namespace}`;

const latestFirst = [
  decided('on-other', 'shop-web-1', 4_000, 'local-1'),
  decided('on-default', 'shop-web-2', 3_000),
  decided('on-default', 'shop-web-1', 2_000, 'local-1'),
  decided('on-default', 'shop-web-1', 1_000),
  decided('on-default', 'blog-web-1', 500, 'local-1'),
];

test('of a pod that had to wait, only why it is where it is now is told, and since when', async (t) => {
  t.deepEqual(await placementsOf(latestFirst, { kind: 'Pod', namespace: 'on-default', name: 'shop-web-1' }, there), [
    { pod: 'on-default/shop-web-1', at: '1970-01-01T00:00:02.000Z', outcome: 'placed', node: 'local-1', message: 'best of equals' },
  ]);
});

test('of an application, the last decision about each of its pods is told, and of no other one’s whose name begins alike', async (t) => {
  const decisions = [...latestFirst, decided('on-default', 'shop-admin-web-1', 400, 'local-1', 'shop-admin')];
  t.deepEqual(
    (await placementsOf(decisions, { kind: 'Application', namespace: 'default', name: 'shop' }, there)).map(
      ({ pod, outcome }) => `${pod} ${outcome}`,
    ),
    ['on-default/shop-web-2 unschedulable', 'on-default/shop-web-1 placed'],
  );
});

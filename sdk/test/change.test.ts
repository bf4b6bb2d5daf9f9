import { change, freezeDeep } from '@tappaas/sdk';
import test from 'ava';
import * as fc from 'fast-check';

interface Shop {
  name: string;
  tags: string[];
  owner: { name: string; address: { city: string } };
}

const shop = freezeDeep<Shop>({ name: 'shop', tags: ['a', 'b'], owner: { name: 'Ada', address: { city: 'London' } } });

test('without an edit the very same object comes back', (t) => {
  t.is(
    change<Shop>(shop, () => {}),
    shop,
  );
  t.is(
    change<Shop>(shop, (draft) => {
      draft.name = 'shop';
    }),
    shop,
  );
});

test('an edit gives a frozen copy, keeps what it did not touch, and leaves the original alone', (t) => {
  const changed = change<Shop>(shop, (draft) => {
    draft.owner.address.city = 'Paris';
  });
  t.is(changed.owner.address.city, 'Paris');
  t.is(shop.owner.address.city, 'London');
  t.is(changed.tags, shop.tags);
  t.true(Object.isFrozen(changed.owner.address));
});

test('lists are edited with their own methods', (t) => {
  const changed = change<Shop>(shop, (draft) => {
    draft.tags.push('c');
    draft.tags.splice(0, 1);
    draft.tags.sort((one, other) => (one < other ? 1 : -1));
  });
  t.deepEqual([...changed.tags], ['c', 'b']);
  t.true(Array.isArray(changed.tags));
});

test('a field that is deleted is gone', (t) => {
  const changed = change<Partial<Shop>>(shop, (draft) => {
    delete draft.owner;
  });
  t.deepEqual(changed, { name: 'shop', tags: ['a', 'b'] });
});

test('a draft put somewhere else keeps its edits', (t) => {
  const changed = change<{ list: { n: number }[] }>(freezeDeep({ list: [{ n: 1 }, { n: 2 }] }), (draft) => {
    const [first] = draft.list;
    if (first) first.n = 10;
    draft.list.reverse();
  });
  t.deepEqual(
    changed.list.map(({ n }) => n),
    [2, 10],
  );
});

test('a spread of a draft, with drafts inside, becomes plain and frozen', (t) => {
  const pod = freezeDeep({ metadata: { labels: { a: '1' }, owners: [{ uid: 'x' }] } });
  const changed = change<{ metadata: { labels: Record<string, string>; owners: { uid: string }[]; extra?: string } }>(pod, (draft) => {
    draft.metadata = { ...draft.metadata, extra: 'yes' };
    draft.metadata.labels['b'] = '2';
  });
  t.deepEqual(changed, { metadata: { labels: { a: '1', b: '2' }, owners: [{ uid: 'x' }], extra: 'yes' } });
  t.is(changed.metadata.owners, pod.metadata.owners);
  t.true(Object.isFrozen(changed.metadata.labels));
  t.deepEqual(pod.metadata.labels, { a: '1' });
});

test('prototypes cannot be reached through a draft', (t) => {
  t.throws(() =>
    change<Record<string, unknown>>(freezeDeep({}), (draft) => {
      draft['__proto__'] = { polluted: true };
    }),
  );
  t.is(({} as { polluted?: boolean }).polluted, undefined);
});

test('any sequence of edits gives what the same edits give on a plain copy', (t) => {
  const path = fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 3 });
  const edit = fc.record({ path, value: fc.oneof(fc.integer(), fc.constant({ a: 1 }), fc.constant(undefined)) });
  type Tree = { [key: string]: unknown };
  const apply = (tree: Tree, edits: readonly { path: string[]; value: unknown }[]) => {
    for (const { path: steps, value } of edits) {
      let node = tree;
      for (const step of steps.slice(0, -1)) {
        if (typeof node[step] !== 'object' || node[step] === null) node[step] = {};
        node = node[step] as Tree;
      }
      const last = steps.at(-1) ?? 'a';
      if (value === undefined) delete node[last];
      else node[last] = structuredClone(value);
    }
  };
  fc.assert(
    fc.property(fc.array(edit, { maxLength: 8 }), (edits) => {
      const base = { a: { a: { a: 1 } }, b: [1, 2] };
      const expected = structuredClone(base) as Tree;
      apply(expected, edits);
      const changed = change<Tree>(freezeDeep(structuredClone(base) as Tree), (draft) => apply(draft, edits));
      t.deepEqual(JSON.parse(JSON.stringify(changed)), JSON.parse(JSON.stringify(expected)));
    }),
  );
});

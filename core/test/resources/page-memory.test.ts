import test from 'ava';
import { assert, constantFrom, option, property, record, string } from 'fast-check';
import { PageMemory } from '../../dist/resources/page-memory.js';

type Arguments = Parameters<PageMemory['page']>;
type Page = ReturnType<PageMemory['page']>;

const cache = { revision: 1, changedRevision: 1 } as Arguments[0];
const kind = { group: '', version: 'v1', plural: 'namespaces' };
const { signal } = new AbortController();
const page = (): Page => ({ items: [], resourceVersion: '1', tokenAfter: () => '' });
const requested = (selectors: { readonly labelSelector?: string; readonly fieldSelector?: string }): Arguments[2] => ({
  target: { kind },
  ...selectors,
  signal,
});

test('a page is remembered for the query that it was made for', (t) => {
  const memory = new PageMemory();
  const version = {} as Arguments[1];
  const query = requested({ labelSelector: 'tappaas.dev/tenant=acme' });
  const first = memory.page(cache, version, query, page);
  t.is(memory.page(cache, version, query, page), first);
});

test('children of some objects are not answered with those of others', (t) => {
  const memory = new PageMemory();
  const version = {} as Arguments[1];
  const childrenOf = (uid: string): Arguments[2] => ({ ...requested({}), limit: 10, fieldValues: { field: 'spec.of.uid', values: [uid] } });
  const first = memory.page(cache, version, childrenOf('a'), page);
  t.not(memory.page(cache, version, childrenOf('b'), page), first);
  t.not(memory.page(cache, version, { ...requested({}), limit: 10 }, page), first);
});

test('no query is answered with the page of another one, however its selectors are cut', (t) => {
  const text = string({ unit: constantFrom(' ', 'a', '=', ',', '0', '1'), maxLength: 6 });
  const query = record({ labelSelector: option(text, { nil: undefined }), fieldSelector: option(text, { nil: undefined }) });
  assert(
    property(query, query, (one, other) => {
      const memory = new PageMemory();
      const version = {} as Arguments[1];
      const first = memory.page(cache, version, requested(one), page);
      const isSame = (one.labelSelector ?? '') === (other.labelSelector ?? '') && (one.fieldSelector ?? '') === (other.fieldSelector ?? '');
      return isSame || memory.page(cache, version, requested(other), page) !== first;
    }),
    { numRuns: 20_000 },
  );
  const narrowed = requested({ labelSelector: 'a,tappaas.dev/tenant=acme', fieldSelector: 'b,tappaas.dev/tenant=rival c' });
  const crafted = requested({ labelSelector: 'a,tappaas.dev/tenant=acme b,tappaas.dev/tenant=rival', fieldSelector: 'c' });
  const memory = new PageMemory();
  const version = {} as Arguments[1];
  t.not(memory.page(cache, version, narrowed, page), memory.page(cache, version, crafted, page));
});

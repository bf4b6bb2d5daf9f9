import test from 'ava';
import * as fc from 'fast-check';
import type { GraphNode } from '../../dist/kernel/graph/graph-node.js';
import { doubleOwners } from '../../dist/kernel/graph/owners.js';
import { serviceGraph } from '../../dist/kernel/graph/service-graph.js';
import { tapOrder, type OrderPreference } from '../../dist/kernel/graph/tap-order.js';
import type { ManifestTap, PluginManifest } from '../../dist/kernel/manifest/manifest.js';

type Part = Partial<Omit<PluginManifest, 'parts'>> & {
  parts?: Partial<PluginManifest['parts']>;
  plugin?: string;
  stores?: readonly string[];
};

const node = (id: string, { parts = {}, plugin = id, stores = [], ...manifest }: Part = {}): GraphNode => ({
  id,
  stores,
  at: undefined,
  manifest: {
    id: plugin,
    needs: [],
    provides: [],
    taps: [],
    ...manifest,
    parts: {
      kinds: [],
      controllers: [],
      actions: [],
      fields: [],
      routes: [],
      engines: [],
      columns: [],
      tasks: [],
      counters: [],
      lifecycle: {},
      ...parts,
    },
  } as unknown as PluginManifest,
});

const provides = (id: string, contract = 1, arity: 'one' | 'keyed' = 'one') => [{ id, contract, arity }];
const needs = (id: string, contract = 1, optional = false) => [{ as: 'it', id, contract, arity: 'one' as const, optional }];
const messages = (problems: readonly { readonly code: string; readonly message: string }[]) =>
  problems.map(({ code, message }) => `${code} ${message}`);

test('instances start level by level, after everything they need; the store comes before what it does not need', (t) => {
  const { levels, problems } = serviceGraph([
    node('api', { needs: [...needs('acme/cache'), ...needs('acme/prices')] }),
    node('cache', { provides: provides('acme/cache') }),
    node('prices', { provides: provides('acme/prices'), needs: needs('acme/cache') }),
    node('lonely'),
    node('store', { provides: provides('tappaas/store', 1, 'keyed'), needs: needs('acme/disk') }),
    node('disk', { provides: provides('acme/disk') }),
    node('vault', { provides: provides('tappaas/secret-store', 1, 'keyed') }),
    node('reader', { stores: ['vault'] }),
  ]);
  t.deepEqual(problems, []);
  t.deepEqual(levels, [['disk'], ['store'], ['cache', 'lonely', 'vault'], ['prices', 'reader'], ['api']]);
});

test('unmet needs, wrong contracts and second owners are told at once, with the name that was meant', (t) => {
  const { problems } = serviceGraph([
    node('a', { needs: needs('acme/cahce') }),
    node('b', { provides: provides('acme/cache', 2) }),
    node('c', { provides: provides('acme/cache', 2), needs: needs('acme/cache', 1) }),
    node('d', { needs: needs('acme/none', 1, true) }),
    node('e', { provides: provides('acme/family', 1, 'keyed') }),
    node('f', { provides: provides('acme/family', 1, 'keyed') }),
  ]);
  t.deepEqual(messages(problems), [
    'TAP_GRAPH_TWO_OWNERS service acme/cache is already provided by b',
    'TAP_GRAPH_UNMET plugin a needs service acme/cahce, which no plugin provides; did you mean "acme/cache"?',
    'TAP_GRAPH_CONTRACT plugin c needs version 1 of service acme/cache, b provides version 2',
  ]);
  t.deepEqual(serviceGraph([node('a', { needs: needs('test/given') })], [{ id: 'test/given' }]).problems, []);
  t.is(serviceGraph([node('a', { provides: provides('test/given') })], [{ id: 'test/given' }]).problems[0]?.code, 'TAP_GRAPH_TWO_OWNERS');
});

test('a platform has one store: a second one is refused, also beside one that is given', (t) => {
  const store = (id: string) => node(id, { provides: provides('tappaas/store', 1, 'keyed') });
  t.deepEqual(messages(serviceGraph([store('first'), store('second')]).problems), [
    'TAP_GRAPH_TWO_OWNERS service tappaas/store is already provided by first',
  ]);
  const given = [{ id: 'tappaas/store', key: 'memory' }];
  t.deepEqual(messages(serviceGraph([store('second')], given).problems), [
    'TAP_GRAPH_TWO_OWNERS service tappaas/store is already provided by the platform',
  ]);
});

test('a cycle prints its path and why each waits for the next', (t) => {
  const { problems } = serviceGraph([
    node('free'),
    node('a', { provides: provides('acme/a'), needs: needs('acme/c') }),
    node('b', { provides: provides('acme/b'), needs: needs('acme/a') }),
    node('c', { provides: provides('acme/c'), stores: ['b'] }),
    node('behind', { needs: needs('acme/c') }),
  ]);
  t.deepEqual(messages(problems), [
    'TAP_GRAPH_CYCLE the plugins wait for each other: a → b (needs acme/a) → c (has a secret in that store) → a (needs acme/c)',
  ]);
});

test('what has one owner only is refused twice: kinds, engines, rendering, actions, fields, columns, conditions', (t) => {
  const parts = {
    kinds: [{ group: 'acme.dev', version: 'v1', kind: 'Budget' }],
    engines: [
      { name: '{instance}', description: '', kinds: [] },
      { name: 'edge', description: '', kinds: [] },
    ],
    controllers: [
      { kind: 'acme.dev/Budget', renders: true },
      { kind: 'acme.dev/Other', renders: false },
    ],
    actions: [{ kind: 'acme.dev/Budget', name: 'reset', description: '', long: false }],
    fields: [{ kind: 'acme.dev/Budget', name: 'cost', description: '' }],
    columns: [{ name: 'price', unit: 'euro', description: '' }],
  };
  const taps = [{ hook: 'reconcile.observe', contract: 1, kinds: ['acme.dev/Budget'], conditions: ['Healthy'] }];
  t.deepEqual(messages(doubleOwners([node('one', { parts, taps }), node('two', { parts, taps, plugin: 'one' })])), [
    'TAP_GRAPH_TWO_OWNERS kind acme.dev/Budget already belongs to one',
    'TAP_GRAPH_TWO_OWNERS engine edge already belongs to one',
    'TAP_GRAPH_TWO_OWNERS rendering of acme.dev/Budget already belongs to one',
    'TAP_GRAPH_TWO_OWNERS action reset of acme.dev/Budget already belongs to one',
    'TAP_GRAPH_TWO_OWNERS field cost of acme.dev/Budget already belongs to one',
    'TAP_GRAPH_TWO_OWNERS column price already belongs to one',
    'TAP_GRAPH_TWO_OWNERS condition Healthy of acme.dev/Budget already belongs to one',
  ]);
});

const tap = (more: Partial<ManifestTap> = {}): readonly ManifestTap[] => [{ hook: 'admission.mutate', contract: 1, ...more }];
const wish = (...instances: readonly string[]): readonly OrderPreference[] => [{ hook: 'admission.mutate', instances, at: undefined }];
const order = (nodes: readonly GraphNode[], preferences: readonly OrderPreference[] = []) =>
  tapOrder(nodes, preferences).taps.map(({ plugin }) => plugin);

test('wishes of authors and operators move taps, and what nobody wishes keeps the order of the configuration', (t) => {
  const nodes = [
    node('a', { taps: tap({ after: ['d', 'absent'] }) }),
    node('b', { taps: tap() }),
    node('c', { taps: tap({ before: ['b'] }) }),
    node('d', { taps: tap() }),
  ];
  t.deepEqual(order(nodes), ['c', 'b', 'd', 'a']);
  t.deepEqual(order(nodes, wish('d', 'c')), ['d', 'a', 'c', 'b']);
  t.deepEqual(messages(tapOrder(nodes, []).problems), ['TAP_ORDER_IGNORED its wish about plugin absent at admission.mutate has no effect']);
  t.is(tapOrder(nodes, []).problems[0]?.severity, 'note');
});

test('wishes name plugins, so they hold for every instance of one', (t) => {
  const nodes = [
    node('late', { plugin: 'x', taps: tap({ after: ['y'] }) }),
    node('y-1', { plugin: 'y', taps: tap() }),
    node('y-2', { plugin: 'y', taps: tap() }),
  ];
  t.deepEqual(order(nodes), ['y-1', 'y-2', 'late']);
});

test('wishes that contradict each other print the path', (t) => {
  const nodes = [node('a', { taps: tap({ before: ['b'] }) }), node('b', { taps: tap({ before: ['c'] }) }), node('c', { taps: tap() })];
  t.deepEqual(messages(tapOrder(nodes, wish('c', 'a')).problems), [
    'TAP_ORDER_CYCLE the taps at admission.mutate wish to stand before each other: a → b (a says before b) → c (b says before c) → a (order.admission.mutate)',
  ]);
});

test('whatever is wished, every tap stands once, and every wish that can be met is met', (t) => {
  const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
  const names = fc.subarray(ids, { maxLength: 3 });
  fc.assert(
    fc.property(
      fc.array(fc.record({ before: names, after: names }), { minLength: 6, maxLength: 6 }),
      fc.shuffledSubarray(ids),
      (preferences, operator) => {
        const nodes = ids.map((id, n) => node(id, { taps: tap(preferences[n]) }));
        const { taps, problems } = tapOrder(nodes, wish(...operator));
        const sequence = taps.map(({ plugin }) => plugin);
        if (sequence.toSorted().join('') !== 'abcdef') return false;
        const edges = ids.flatMap((id, n) => [
          ...(preferences[n]?.before ?? []).map((other) => [id, other] as const),
          ...(preferences[n]?.after ?? []).map((other) => [other, id] as const),
        ]);
        edges.push(...operator.slice(1).map((id, n) => [operator[n] ?? '', id] as const));
        const met = edges.every(([first, second]) => first === second || sequence.indexOf(first) < sequence.indexOf(second));
        return met !== problems.some(({ code }) => code === 'TAP_ORDER_CYCLE');
      },
    ),
    { numRuns: 500 },
  );
  t.pass();
});

import test from 'ava';
import type { Immutable, KubernetesService, Pod } from '@tappaas/sdk';
import { KeyMemory } from '../dist/controllers/key-memory.js';
import { ServiceSelectors } from '../dist/controllers/service-selectors.js';

const service = (name: string, selector: Record<string, string> | undefined, namespace = 'default'): Immutable<KubernetesService> => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: selector ? { selector } : {},
});
const pod = (labels: Record<string, string>, namespace = 'default'): Immutable<Pod> => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', namespace, labels },
});

test('a pod wakes the services that select it, and no others', (t) => {
  const selectors = new ServiceSelectors();
  selectors.remember(service('web', { app: 'x' }));
  selectors.remember(service('canary', { app: 'x', track: 'canary' }));
  selectors.remember(service('other', { app: 'y' }));
  selectors.remember(service('web', { app: 'x' }, 'elsewhere'));
  selectors.remember(service('manual', undefined));
  const names = (labels: Record<string, string>) =>
    selectors
      .servicesOf(pod(labels))
      .map(({ name }) => name)
      .toSorted();
  t.deepEqual(names({ app: 'x' }), ['web']);
  t.deepEqual(names({ app: 'x', track: 'canary' }), ['canary', 'web']);
  t.deepEqual(names({}), []);
  selectors.remember(service('web', { app: 'z' }));
  t.deepEqual(names({ app: 'x' }), []);
  t.deepEqual(names({ app: 'z' }), ['web']);
  selectors.remember(service('web', undefined));
  t.deepEqual(names({ app: 'z' }), []);
});

test('what is remembered is bounded by twice what exists', async (t) => {
  const memory = new KeyMemory<number>();
  const exists = new Set<string>();
  let largest = 0;
  for (let index = 0; index < 10_000; index += 1) {
    const name = `s${index}`;
    memory.remember({ name }, index);
    exists.add(name);
    if (exists.size > 200) exists.delete(`s${index - 200}`);
    await memory.prune(async ({ name: sent }) => exists.has(sent));
    largest = Math.max(largest, memory.size);
  }
  t.true(largest <= 1000, `${largest}`);
  t.is(memory.get({ name: 's9999' }), 9999);
  t.is(memory.get({ name: 's0' }), undefined);
});

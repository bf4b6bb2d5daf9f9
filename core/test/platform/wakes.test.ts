import { Application, Build } from '@tappaas/sdk/kinds';
import test from 'ava';
import { startPluginController, wokenBy } from '../../dist/platform/controllers/plugin-controller.js';

const build = (ownerReferences: object[]) => ({
  apiVersion: 'apps.tappaas.dev/v1alpha1',
  kind: 'Build',
  metadata: { name: 'b', namespace: 'team-a', uid: 'u', resourceVersion: '1', ownerReferences },
});
const owner = { apiVersion: 'apps.tappaas.dev/v1alpha1', kind: 'Application', name: 'shop', uid: 'o', controller: true };

test('a change wakes the controlling owner of the controller’s kind', (t) => {
  t.deepEqual(wokenBy({ kind: Build, wakes: 'owner' }, build([owner]) as never, Application), ['team-a/shop']);
});

test('owners of another kind or group, and owners that do not control, are not woken', (t) => {
  const others = [
    { ...owner, kind: 'Other' },
    { ...owner, apiVersion: 'apps/v1' },
    { ...owner, controller: false },
  ];
  for (const other of others) t.deepEqual(wokenBy({ kind: Build, wakes: 'owner' }, build([other]) as never, Application), []);
});

test('a function names the keys itself', (t) => {
  t.deepEqual(wokenBy({ kind: Build, wakes: () => [{ namespace: 'x', name: 'y' }, { name: 'z' }] }, build([]) as never, Application), [
    'x/y',
    'z',
  ]);
});

test('a function is called through the guard of its plugin, so that a failure or a long call shows whose it is', (t) => {
  const handlers: { add?: (object: never, occasion: { isInInitialList: boolean }) => void }[] = [];
  const informer = {
    addHandler: (handler: (typeof handlers)[number]) => {
      handlers.push(handler);
      return () => {};
    },
    synced: () => new Promise(() => {}),
  };
  const [added, points]: [string[], string[]] = [[], []];
  const guard = {
    plugin: 'mesh',
    call: () => Promise.reject(new Error('not asked')),
    callSync: ({ name }: { readonly name: string }, run: () => unknown) => {
      points.push(name);
      return run();
    },
  };
  startPluginController({
    registered: { plugin: 'mesh', guard, value: { kind: Application, watches: [{ kind: Build, wakes: () => [{ name: 'z' }] }] } },
    informers: { of: () => informer },
    contextParts: {},
    createQueue: () => ({ add: (key: string) => added.push(key), get: () => new Promise(() => {}) }),
    clock: { nowMs: () => 0, sleep: () => new Promise(() => {}) },
  } as never);
  handlers[0]?.add?.(build([]) as never, { isInInitialList: false });
  t.deepEqual([points, added], [['controller.wakes'], ['z']]);
});

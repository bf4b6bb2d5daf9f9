import test from 'ava';
import type { Immutable, ReconcileContext } from '@tappaas/sdk';
import type { Application, ApplicationObject } from '@tappaas/sdk/kinds';
import * as fc from 'fast-check';
import { addressesOf, addressIn } from '../dist/addresses.js';
import { checkApplication } from '../dist/check-application.js';
import { Dependents, settleDependencies } from '../dist/dependencies.js';
import { renderApplication } from '../dist/render-application.js';
import { facts, shop } from './fixture.ts';

type Spec = Immutable<ApplicationObject['spec']>;

const named = (name: string, spec: Partial<Spec> = {}, status?: ApplicationObject['status']) => {
  const application = shop(spec);
  return { ...application, metadata: { ...application.metadata, name }, ...(status && { status }) };
};
const takes = (name: string, port: string, process?: string): Partial<Spec> => ({
  env: [{ name: 'OTHER_URL', from: { application: { name, port, ...(process && { process }) } } }],
});
const needs = (...names: readonly string[]): Partial<Spec> => ({ dependencies: names.map((name) => ({ name, ready: true })) });
const ready = (status: 'True' | 'False', message = ''): ApplicationObject['status'] => ({
  conditions: [{ type: 'Ready', status, reason: 'RollingOut', message, lastTransitionTime: '', observedGeneration: 1 }],
});
const api = { name: 'api', replicas: 1, ports: [{ name: 'grpc', port: 9, protocol: 'GRPC' as const }] };

/** Settles the dependencies of an application among others. */
function settle(dependents: Dependents, application: ReturnType<typeof named>, ...others: readonly ReturnType<typeof named>[]) {
  const all = new Map([application, ...others].map((each) => [each.metadata.name, each]));
  const asPlugin = { get: async (_: unknown, { name }: { readonly name: string }) => all.get(name) };
  return settleDependencies(application, { asPlugin } as unknown as ReconcileContext<typeof Application>, dependents);
}

const settled = (application: ReturnType<typeof named>, ...others: readonly ReturnType<typeof named>[]) =>
  settle(new Dependents(), application, ...others);

test('the address of a port is that of the process that has it, whatever it is called', async (t) => {
  const catalog = named('catalog', {
    processes: [{ name: 'front-end', replicas: 1, ports: [{ name: 'http-api', port: 1, protocol: 'HTTP' }] }, api],
  });
  const own = named('shop', {
    env: [...(takes('catalog', 'http-api').env ?? []), { name: 'GRPC', from: { application: { name: 'catalog', port: 'grpc' } } }],
  });
  const answer = await settled(own, catalog);
  t.deepEqual(answer, {
    inputs: {
      'address/catalog//http-api': 'http://$(CATALOG_FRONT_END_SERVICE_HOST):$(CATALOG_FRONT_END_SERVICE_PORT_HTTP_API)',
      'address/catalog//grpc': '$(CATALOG_API_SERVICE_HOST):$(CATALOG_API_SERVICE_PORT_GRPC)',
    },
  });
  const inputs = 'inputs' in answer ? answer.inputs : {};
  const [deployment] = renderApplication(own, { ...facts, inputs: { ...facts.inputs, ...inputs } }, new Map()).filter(
    ({ kind }) => kind === 'Deployment',
  );
  t.true(JSON.stringify(deployment).includes('http://$(CATALOG_FRONT_END_SERVICE_HOST):'));
});

test('of several processes with such a port it is that of web, or of the one that is named; else the choice is asked for', (t) => {
  const http = [{ name: 'http', port: 1, protocol: 'HTTP' as const }];
  const process = (name: string) => ({ name, replicas: 1, ports: http });
  const address = (processes: readonly string[], wished?: string) => {
    const found = addressIn(named('c', { processes: processes.map(process) }), {
      name: 'c',
      port: 'http',
      ...(wished && { process: wished }),
    });
    return 'value' in found ? /C_(\w+?)_SERVICE_HOST/.exec(found.value)?.[1] : found.problem;
  };
  t.is(address(['admin', 'web']), 'WEB');
  t.is(address(['admin', 'web'], 'admin'), 'ADMIN');
  t.is(
    address(['admin', 'api']),
    'several processes of application c have a port http; say which with from.application.process: http of admin, http of api',
  );
  t.is(address(['admin'], 'web'), 'application c has no port http of process web; its ports: http of admin');
});

test('an application that is not there, or is going, is waited for by name', async (t) => {
  const own = named('shop', takes('catalog', 'http'));
  const gone = named('catalog');
  for (const others of [[], [{ ...gone, metadata: { ...gone.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }]]) {
    t.like(await settled(own, ...others), {
      wait: {
        reason: 'DependencyMissing',
        message: 'it needs application catalog, which namespace team-a does not have; deploy it, and this goes on by itself',
        isFinal: false,
      },
    });
  }
  t.like(await settled(named('shop', takes('catalog', 'nope')), gone), {
    wait: {
      reason: 'DependencyPortMissing',
      message: 'application catalog has no port nope; its ports: http of web; it goes on by itself once there is one',
    },
  });
});

test('one that has to be ready first is waited for until it is, and no longer once this one has a release', async (t) => {
  const own = named('shop', needs('catalog'));
  t.like(await settled(own, named('catalog', {}, ready('False', 'no pod is ready'))), {
    wait: {
      reason: 'DependencyNotReady',
      message: 'it waits until application catalog is ready, and then goes on by itself; catalog: RollingOut',
      isFinal: false,
    },
  });
  t.deepEqual(await settled(own, named('catalog', {}, ready('True'))), { inputs: {} });
  t.deepEqual(await settled(named('shop', needs('catalog'), { release: 'shop-1' }), named('catalog', {}, ready('False'))), { inputs: {} });
});

test('applications that wait for each other are told the circle; those that only take addresses from each other go on', async (t) => {
  const [a, b, c] = [named('a', needs('b')), named('b', needs('c')), named('c', needs('a'))] as const;
  t.like(await settled(a, b, c), {
    wait: {
      reason: 'DependencyCycle',
      message: 'these wait for each other to be ready first: a → b → c → a; take "ready: true" from one of the dependencies',
      isFinal: true,
    },
  });
  t.like(
    await settled(a, b, named('c', needs('a'), { release: 'c-1' })),
    { wait: { reason: 'DependencyNotReady' } },
    'c has served, so the circle is none',
  );
  t.true('inputs' in (await settled(named('a', takes('b', 'http')), named('b', takes('a', 'http')))));
});

/** Repeats rounds in which each application settles and reports its condition, until nothing changes; returns the last conditions. */
async function reconciled(all: readonly ReturnType<typeof named>[], roundsMax: number) {
  let current = all;
  for (let round = 0; round < roundsMax; round += 1) {
    const waits = await Promise.all(current.map((each) => settled(each, ...current)));
    const next = current.map((each, index) => {
      const found = waits[index] ?? { inputs: {} };
      if ('inputs' in found) return each;
      const { reason, message } = found.wait;
      return named(each.metadata.name, each.spec, {
        conditions: [{ type: 'Ready', status: 'False', reason, message, lastTransitionTime: '', observedGeneration: 1 }],
      });
    });
    if (JSON.stringify(next) === JSON.stringify(current)) return next.map(({ status }) => status?.conditions?.[0]);
    current = next;
  }
  return undefined;
}

test('however many wait for each other in a ring, they say so once and then rest', async (t) => {
  for (const [size, reason] of [
    [2, 'DependencyCycle'],
    [101, 'DependencyCycle'],
    [102, 'DependenciesTooMany'],
    [150, 'DependenciesTooMany'],
  ] as const) {
    const ring = Array.from({ length: size }, (_, index) => named(`a${index}`, needs(`a${(index + 1) % size}`)));
    const conditions = await reconciled(ring, 3);
    t.deepEqual([...new Set(conditions?.map((condition) => condition?.reason))], [reason], String(size));
  }
});

test('whoever waits for whom, what they say comes to rest and stays short', async (t) => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  await fc.assert(
    fc.asyncProperty(fc.tuple(...names.map(() => fc.subarray(names))), async (graph) => {
      const all = names.map((name, index) => named(name, needs(...(graph[index] ?? []).filter((other) => other !== name))));
      const conditions = await reconciled(all, 4);
      return conditions?.every((condition) => (condition?.message ?? '').length < 150) ?? false;
    }),
  );
  t.pass();
});

test('an application may ask for its own address, and not depend on itself', async (t) => {
  const own = named('shop', takes('shop', 'http'));
  t.like(await settled(own), { inputs: { 'address/shop//http': 'http://$(SHOP_WEB_SERVICE_HOST):$(SHOP_WEB_SERVICE_PORT_HTTP)' } });
  t.like(checkApplication(shop(needs('shop'))), [
    { field: 'spec.dependencies[0].name', message: 'an application cannot depend on itself' },
  ]);
});

test('whatever needs come and go, a change wakes all that need what has changed, and those that are gone are forgotten', async (t) => {
  const names = ['a', 'b', 'c', 'd'];
  const step = fc.tuple(fc.constantFrom(...names), fc.oneof(fc.constant('gone' as const), fc.subarray(names)));
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      const dependents = new Dependents();
      const model = new Map<string, readonly string[]>();
      const isThere = async ({ name }: { readonly name: string }) => model.has(name);
      const woken = (name: string) => dependents.of(named(name)).map((key) => key.name);
      const expected = (name: string) => [...model].flatMap(([other, needed]) => (needed.includes(name) ? [other] : []));
      for (const [name, change] of steps) {
        if (change === 'gone') model.delete(name);
        else {
          model.set(name, change);
          dependents.note(named(name), new Set(change));
        }
        if (!names.every((each) => expected(each).every((other) => woken(each).includes(other)))) return false;
        await dependents.forgetDeleted(isThere);
      }
      for (let round = 0; round < 2; round += 1) await dependents.forgetDeleted(isThere);
      return names.every((each) => JSON.stringify(woken(each).toSorted()) === JSON.stringify(expected(each).toSorted()));
    }),
  );
  t.pass();
});

test('however many wait and are deleted, no more of them are kept than there are', async (t) => {
  const dependents = new Dependents();
  let kept = 0;
  for (let index = 0; index < 1_000; index += 1) {
    const waiting = named(`a${index}`, takes('catalog', 'http'));
    t.like(await settle(dependents, waiting), { wait: { reason: 'DependencyMissing' } });
    kept = Math.max(kept, dependents.of(named('catalog')).length);
  }
  t.true(kept <= 2, String(kept));
});

test('one that comes again while it is looked for is not forgotten', async (t) => {
  const dependents = new Dependents();
  dependents.note(named('a'), new Set(['b']));
  await dependents.forgetDeleted(async () => {
    dependents.note(named('a'), new Set(['b']));
    return false;
  });
  t.deepEqual(dependents.of(named('b')), [{ namespace: 'team-a', name: 'a' }]);
});

test('each address is settled once, however often it is taken', (t) => {
  const twice = { ...takes('catalog', 'http'), processes: [{ name: 'web', replicas: 1, ...takes('catalog', 'http') }] };
  t.is(addressesOf(named('shop', twice as Partial<Spec>)).length, 1);
});

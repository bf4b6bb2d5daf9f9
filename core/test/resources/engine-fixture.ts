import { defineKind, Type, type AnyKind, type KindBehaviour, type ResourceStore } from '@tappaas/sdk';
import { createResourceEngine, type ResourceEngine, type ResourceEngineOptions } from '../../dist/resources/engine.js';
import { coreKinds } from '../../dist/resources/kinds/kernel-kinds.js';
import { createMemoryStore } from '../../dist/store/memory-store.js';
import { openWatchCache } from '../../dist/store/watch-cache.js';
import { seededRandom, VirtualClock } from '../virtual-clock.ts';

/** A kind of ours with everything that the engine looks at. */
export const Widget = defineKind({
  group: 'test.tappaas.dev',
  kind: 'Widget',
  plural: 'widgets',
  version: 'v1alpha1',
  scope: 'Namespaced',
  description: 'A thing to test with.',
  spec: Type.Object({
    size: Type.Integer({ minimum: 0, maximum: 1000, default: 1 }),
    color: Type.Optional(Type.String({ maxLength: 64 })),
    serial: Type.Optional(Type.String()),
    parts: Type.Optional(
      Type.Array(Type.Object({ name: Type.String(), count: Type.Integer({ default: 1 }) }), {
        'x-kubernetes-list-type': 'map',
        'x-kubernetes-list-map-keys': ['name'],
      }),
    ),
  }),
  status: Type.Object({ phase: Type.Optional(Type.String()), observedGeneration: Type.Optional(Type.Integer()) }),
  immutable: ['spec.serial'],
  fields: ['spec.color'],
  scale: { replicasPath: 'spec.size' },
  shortNames: ['wd'],
});

export const widgets = { group: 'test.tappaas.dev', version: 'v1alpha1', plural: 'widgets' };
export const namespaces = { group: '', version: 'v1', plural: 'namespaces' };
export const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
export const secrets = { group: '', version: 'v1', plural: 'secrets' };

export const never = new AbortController().signal;

export type Fixture = {
  readonly engine: ResourceEngine;
  readonly store: ResourceStore;
  readonly clock: VirtualClock;
  readonly close: () => Promise<void>;
} & ReturnType<typeof shorthands>;

type WriteOptions = Parameters<ResourceEngine['write']>[1];

// oxlint-disable-next-line typescript/no-explicit-any -- tests look into objects of many kinds
export type TestObject = any;

/** The object of an answer, for looking into. */
export const objectOf = (result: { readonly served: { readonly object: object } }): TestObject => result.served.object;

/** Options of a write by a caller whom nobody restricts. */
export const options = (more: Partial<WriteOptions> = {}): WriteOptions => ({
  caller: { name: 'tester', groups: [] },
  requestId: 'r',
  signal: never,
  dryRun: false,
  fieldValidation: 'Strict',
  fieldManager: 'test',
  ...more,
});

/** `namespace/name` or `name` as parts of a target. */
export function targetOf(kind: typeof widgets, key: string, subresource?: string) {
  const [first = '', second] = key.split('/');
  const named = second === undefined ? { name: first } : { namespace: first, name: second };
  return { kind, ...named, ...(subresource !== undefined && { subresource }) };
}

const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

export interface FixtureOptions extends Partial<Omit<ResourceEngineOptions, 'clock' | 'store'>> {
  readonly store?: ResourceStore;
  readonly clock?: VirtualClock;
  readonly behaviour?: KindBehaviour<typeof Widget>;
  readonly more?: readonly AnyKind[];
}

/** A started engine on a memory store, with namespace `default`. */
export async function startEngine({ behaviour, more = [], ...given }: FixtureOptions = {}): Promise<Fixture> {
  const clock = given.clock ?? new VirtualClock();
  const store = given.store ?? createMemoryStore({ clock });
  const widget = { kind: Widget, plugin: 'widgets', ...(behaviour && { behaviour: behaviour as KindBehaviour<never> }) };
  const engine = createResourceEngine({
    name: 'platform',
    random: seededRandom(1),
    openWatchCache,
    kinds: [...coreKinds(), widget, ...more.map((kind) => ({ kind, plugin: 'more' }))],
    firstNamespaces: ['default'],
    ...given,
    store,
    clock,
  });
  await engine.start(never);
  return { store, clock, engine, ...shorthands(engine), close: () => engine.close() };
}

function shorthands(engine: ResourceEngine) {
  return {
    create: (kind: typeof widgets, object: TestObject, more?: Partial<WriteOptions>) => {
      const { name, namespace } = object.metadata;
      const target = { kind, ...(namespace !== undefined && { namespace }), ...(name !== undefined && { name }) };
      return engine.write({ verb: 'create', target, body: encode(object), mediaType: 'json' }, options(more));
    },
    update: (kind: typeof widgets, object: TestObject, { subresource, ...more }: Partial<WriteOptions> & { subresource?: string } = {}) => {
      const { name, namespace } = object.metadata;
      const target = targetOf(kind, namespace === undefined ? name : `${namespace}/${name}`, subresource);
      return engine.write({ verb: 'update', target, body: encode(object), mediaType: 'json' }, options(more));
    },
    patch: (kind: typeof widgets, key: string, patch: unknown, { type = 'merge', force = false, subresource, ...more }: TestObject = {}) =>
      engine.write({ verb: 'patch', target: targetOf(kind, key, subresource), body: encode(patch), patchType: type, force }, options(more)),
    remove: (kind: typeof widgets, key: string, deletion: object = {}) =>
      engine.write({ verb: 'delete', target: targetOf(kind, key), options: deletion }, options()),
    get: async (kind: typeof widgets, key: string): Promise<TestObject> =>
      (await engine.get(targetOf(kind, key), { signal: never })).object,
    names: async (kind: typeof widgets, namespace?: string) => {
      const target = { kind, ...(namespace !== undefined && { namespace }) };
      const { items } = await engine.list({ target, signal: never });
      return items.map(({ object }) => (object as TestObject).metadata.name as string);
    },
  };
}

/** A widget in namespace `default`. */
export const widget = (name: string, spec: object = {}, metadata: object = {}): TestObject => ({
  apiVersion: 'test.tappaas.dev/v1alpha1',
  kind: 'Widget',
  metadata: { name, namespace: 'default', ...metadata },
  spec,
});

export const configMap = (name: string, data: object = {}, metadata: object = {}): TestObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', ...metadata },
  data,
});

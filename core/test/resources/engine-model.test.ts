import test from 'ava';
import * as fc from 'fast-check';
import { settled } from '../virtual-clock.ts';
import { objectOf, startEngine, widget, widgets, type Fixture, type TestObject } from './engine-fixture.ts';

/** What a widget should be like, thought of as simply as possible. */
interface Model {
  size: number;
  color: string | undefined;
  phase: string | undefined;
  label: string | undefined;
  generation: number;
  finalizer: boolean;
  deleting: boolean;
}

type Command =
  | { readonly do: 'create'; readonly name: string; readonly size: number; readonly finalizer: boolean }
  | { readonly do: 'resize'; readonly name: string; readonly size: number; readonly by: 'merge' | 'json' | 'update' | 'scale' }
  | { readonly do: 'paint'; readonly name: string; readonly color: string; readonly force: boolean; readonly manager: string }
  | { readonly do: 'report'; readonly name: string; readonly phase: string }
  | { readonly do: 'label'; readonly name: string; readonly label: string }
  | { readonly do: 'stale'; readonly name: string }
  | { readonly do: 'delete'; readonly name: string }
  | { readonly do: 'finish'; readonly name: string }
  | { readonly do: 'restart' };

const name = fc.constantFrom('a', 'b', 'c');
const size = fc.integer({ min: 0, max: 5 });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('create' as const), name, size, finalizer: fc.boolean() }) },
  {
    weight: 5,
    arbitrary: fc.record({ do: fc.constant('resize' as const), name, size, by: fc.constantFrom('merge', 'json', 'update', 'scale') }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('paint' as const),
      name,
      color: fc.constantFrom('red', 'blue'),
      force: fc.boolean(),
      manager: fc.constantFrom('m1', 'm2'),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('report' as const), name, phase: fc.constantFrom('x', 'y') }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('label' as const), name, label: fc.constantFrom('u', 'v') }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stale' as const), name }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), name }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('finish' as const), name }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const) }) },
);

/** Replays a watch into a map, and notes what a watch must never do. */
function follow({ engine }: Fixture) {
  const stop = new AbortController();
  const state = new Map<string, TestObject>();
  const faults: string[] = [];
  let last = 0;
  const ended = (async () => {
    for await (const batch of engine.watch({
      target: { kind: widgets },
      bookmarks: false,
      signal: stop.signal,
    })) {
      for (const { type, served } of batch) {
        const object = served.object as TestObject;
        const key = object.metadata.name as string;
        if ((type === 'ADDED') === state.has(key)) faults.push(`${type} of ${key}, which was ${state.has(key) ? 'there' : 'not there'}`);
        if (type !== 'ADDED' && Number(served.resourceVersion) <= last) faults.push(`${served.resourceVersion} after ${last}`);
        last = Math.max(last, Number(served.resourceVersion));
        if (type === 'DELETED') state.delete(key);
        else state.set(key, object);
      }
    }
  })();
  return { state, faults, stop: () => (stop.abort(), ended) };
}

class World {
  fixture: Fixture;
  watch: ReturnType<typeof follow>;
  readonly model = new Map<string, Model>();

  constructor(fixture: Fixture) {
    this.fixture = fixture;
    this.watch = follow(fixture);
  }

  async run(step: Command): Promise<void> {
    if (step.do === 'restart') {
      await this.checkWatch();
      await this.watch.stop();
      await this.fixture.engine.close();
      this.fixture = await startEngine({ store: this.fixture.store, clock: this.fixture.clock });
      this.watch = follow(this.fixture);
      return;
    }
    const before = await this.fixture.store.currentRevision();
    const answer = await this.attempt(step);
    const expected = this.expect(step);
    if (answer !== expected) throw new Error(`${JSON.stringify(step)} answered ${answer}, expected ${expected}`);
    const writes = (await this.fixture.store.currentRevision()) - before;
    const expectedWrites = ['created', 'updated', 'deleted', 'deleting'].includes(expected) ? 1 : 0;
    if (writes !== expectedWrites) throw new Error(`${JSON.stringify(step)} took ${writes} revisions, expected ${expectedWrites}`);
    await this.check(step.name);
  }

  private async attempt(step: Exclude<Command, { do: 'restart' }>): Promise<string> {
    const { create, patch, update, remove, get } = this.fixture;
    const key = `default/${step.name}`;
    const run = async (): Promise<{ readonly outcome: string }> => {
      switch (step.do) {
        case 'create':
          return create(widgets, widget(step.name, { size: step.size }, step.finalizer ? { finalizers: ['t.dev/f'] } : {}));
        case 'resize':
          if (step.by === 'json') return patch(widgets, key, [{ op: 'add', path: '/spec/size', value: step.size }], { type: 'json' });
          if (step.by === 'scale') return patch(widgets, key, { spec: { replicas: step.size } }, { subresource: 'scale' });
          if (step.by === 'merge') return patch(widgets, key, { spec: { size: step.size } });
          {
            const object = await get(widgets, key);
            return update(widgets, { ...object, spec: { ...object.spec, size: step.size } });
          }
        case 'paint':
          return patch(widgets, key, widget(step.name, { color: step.color }), { type: 'apply', fieldManager: step.manager, force: true });
        case 'report':
          return patch(widgets, key, { status: { phase: step.phase } }, { subresource: 'status' });
        case 'label':
          return patch(widgets, key, { metadata: { labels: { l: step.label } } });
        case 'stale':
          return patch(widgets, key, { metadata: { resourceVersion: '1099511627777' }, spec: { size: 1 } });
        case 'delete':
          return remove(widgets, key);
        case 'finish':
          return patch(widgets, key, { metadata: { finalizers: null } });
      }
    };
    return run().then(
      ({ outcome }) => outcome,
      (error: unknown) => (error as { readonly code: string }).code,
    );
  }

  private expect(step: Exclude<Command, { do: 'restart' }>): string {
    const known = this.model.get(step.name);
    if (step.do === 'create' || (step.do === 'paint' && known === undefined)) {
      if (known) return 'TAP_OBJECT_EXISTS';
      const made =
        step.do === 'create'
          ? { size: step.size, color: undefined, finalizer: step.finalizer }
          : { size: 1, color: step.color, finalizer: false };
      this.model.set(step.name, { ...made, phase: undefined, label: undefined, generation: 1, deleting: false });
      return 'created';
    }
    if (known === undefined) return 'TAP_OBJECT_NOT_FOUND';
    switch (step.do) {
      case 'resize':
        return this.change(step.name, { size: step.size }, true);
      case 'paint':
        // The color may be as it was and the manager new to it: who owns it is a change too, which the model does not know.
        return this.change(step.name, { color: step.color }, true);
      case 'report':
        return this.change(step.name, { phase: step.phase }, false);
      case 'label':
        return this.change(step.name, { label: step.label }, false);
      case 'stale':
        return 'TAP_OBJECT_CONFLICT';
      case 'delete':
        if (!known.finalizer) {
          this.model.delete(step.name);
          return 'deleted';
        }
        if (known.deleting) return 'unchanged';
        this.model.set(step.name, { ...known, deleting: true, generation: known.generation + 1 });
        return 'deleting';
      case 'finish':
        if (known.deleting) {
          this.model.delete(step.name);
          return 'updated';
        }
        return this.change(step.name, { finalizer: false }, false);
    }
  }

  private change(key: string, part: Partial<Model>, isSpec: boolean): string {
    const known = this.model.get(key) as Model;
    const next = { ...known, ...part };
    const isSame = JSON.stringify(next) === JSON.stringify(known);
    if (!isSame && isSpec) next.generation += 1;
    this.model.set(key, next);
    return isSame ? 'unchanged' : 'updated';
  }

  private async check(key: string): Promise<void> {
    const wanted = this.model.get(key);
    const object = await this.fixture.get(widgets, `default/${key}`).catch(() => undefined);
    if ((object === undefined) !== (wanted === undefined)) throw new Error(`${key} is ${object ? '' : 'not '}there`);
    if (object === undefined || wanted === undefined) return;
    const found: Model = {
      size: object.spec.size,
      color: object.spec.color,
      phase: object.status?.phase,
      label: object.metadata.labels?.l,
      generation: object.metadata.generation,
      finalizer: object.metadata.finalizers !== undefined,
      deleting: object.metadata.deletionTimestamp !== undefined,
    };
    for (const field of Object.keys(found) as (keyof Model)[]) {
      if (found[field] !== wanted[field]) throw new Error(`${key}.${field} is ${String(found[field])}, expected ${String(wanted[field])}`);
    }
  }

  async checkWatch(): Promise<void> {
    await settled();
    const { items } = await this.fixture.engine.list({ target: { kind: widgets }, signal: new AbortController().signal });
    const listed = Object.fromEntries(items.map(({ object }) => [(object as TestObject).metadata.name, object]));
    const reported = Object.fromEntries([...this.watch.state].sort(([one], [other]) => (one < other ? -1 : 1)));
    if (JSON.stringify(reported) !== JSON.stringify(listed))
      throw new Error(`told ${JSON.stringify(reported)}, listed ${JSON.stringify(listed)}`);
    if (Object.keys(listed).join() !== [...this.model.keys()].sort().join()) throw new Error('the list is not the model');
    if (this.watch.faults.length > 0) throw new Error(this.watch.faults.join('; '));
  }
}

/** Paints by one manager only, so that owning and having a color are one thing. */
const simple = command.map((step) => (step.do === 'paint' ? { ...step, manager: 'm1' } : step));

test('whatever is done in whatever order, objects are as a simple model says, and a watch tells exactly that', async (t) => {
  await fc.assert(
    fc.asyncProperty(fc.array(simple, { minLength: 5, maxLength: 60 }), async (steps) => {
      const world = new World(await startEngine());
      const painted = new Set<string>();
      for (const step of steps) {
        // The first apply to an object that was made otherwise changes who owns what, and so the object.
        if (step.do === 'paint' && world.model.has(step.name) && !painted.has(step.name)) continue;
        if (step.do === 'paint') painted.add(step.name);
        await world.run(step);
        if ('name' in step && !world.model.has(step.name)) painted.delete(step.name);
      }
      await world.checkWatch();
      await world.watch.stop();
      await world.fixture.engine.close();
    }),
    { numRuns: 60 },
  );
  t.pass();
});

test('writers at the same time each change what they say and lose nothing of the others', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 0, max: 4 })), { minLength: 2, maxLength: 25 }),
      async (writes) => {
        const { create, patch, get, engine } = await startEngine();
        await Promise.all(['a', 'b'].map((key) => create(widgets, widget(key))));
        await Promise.all(
          writes.map(([key, part], index) =>
            patch(widgets, `default/${key}`, { metadata: { annotations: { [`p${part}-${index}`]: 'x' } } }),
          ),
        );
        for (const key of ['a', 'b']) {
          const expected = writes.flatMap(([written, part], index) => (written === key ? [`p${part}-${index}`] : []));
          t.deepEqual(Object.keys((await get(widgets, `default/${key}`)).metadata.annotations ?? {}).sort(), expected.sort());
        }
        await engine.close();
      },
    ),
    { numRuns: 20 },
  );
});

test('of writers that name the state they replace, exactly one wins', async (t) => {
  const { create, update, get } = await startEngine();
  const object = objectOf(await create(widgets, widget('a')));
  const outcomes = await Promise.allSettled(
    Array.from({ length: 10 }, (_, index) => update(widgets, { ...object, spec: { size: index + 10 } })),
  );
  const won = outcomes.flatMap((outcome, index) => (outcome.status === 'fulfilled' ? [index + 10] : []));
  t.is(won.length, 1);
  t.is((await get(widgets, 'default/a')).spec.size, won[0]);
  t.true(
    outcomes.every((outcome) => outcome.status === 'fulfilled' || (outcome.reason as { code: string }).code === 'TAP_OBJECT_CONFLICT'),
  );
});

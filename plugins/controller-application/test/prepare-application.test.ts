import test from 'ava';
import type { ReconcileContext } from '@tappaas/sdk';
import { Build, type Application, type BuildObject } from '@tappaas/sdk/kinds';
import { Dependents } from '../dist/dependencies.js';
import { abandonBuild, prepareApplication } from '../dist/prepare-application.js';
import { shop } from './fixture.ts';

const digestOf = (letter: string) => `sha256:${letter.repeat(64)}`;
const version = (letter: string, generation: number) => {
  const application = shop({ source: { upload: { digest: digestOf(letter) } } });
  return { ...application, metadata: { ...application.metadata, generation } };
};

/** Builds in memory; supports merge patches of two levels only. */
function builds() {
  const all = new Map<string, BuildObject>();
  const asPlugin = {
    get: async (_: unknown, { name }: { readonly name: string }) => all.get(name),
    async *list() {
      yield* all.values();
    },
    async create(_: unknown, build: BuildObject) {
      all.set(build.metadata.name, build);
      return build;
    },
    async patch(_: unknown, { name }: { readonly name: string }, { metadata, spec }: Partial<BuildObject>) {
      const before = all.get(name) as BuildObject;
      const annotations = { ...before.metadata.annotations, ...metadata?.annotations };
      const after = { ...before, metadata: { ...before.metadata, annotations }, spec: { ...before.spec, ...spec } };
      all.set(name, after);
      return after;
    },
  };
  const steps: (readonly [string, number])[] = [];
  const progress = (step: string, percent: number) => void steps.push([step, percent]);
  const events: string[] = [];
  const event = ({ type, reason, message }: Parameters<ReconcileContext<typeof Application>['event']>[0]) =>
    void events.push(`${type} ${reason}: ${message}`);
  const context = { asPlugin, progress, event } as unknown as ReconcileContext<typeof Application>;
  const of = (letter: string) => all.get(`shop-${letter.repeat(12)}`) as BuildObject;
  const setStatus = (letter: string, status: BuildObject['status']) => void all.set(of(letter).metadata.name, { ...of(letter), status });
  return { context, of, setStatus, steps, events };
}

test('a change that is stopped ends its build, and a later one that wants the same source begins it anew', async (t) => {
  const { context, of, setStatus } = builds();
  await prepareApplication(version('a', 1), context, { dependents: new Dependents(), suffixes: [] });
  setStatus('a', { phase: 'Running' });
  await abandonBuild(version('a', 1), context);
  t.true(of('a').spec.cancelled);
  setStatus('a', { phase: 'Cancelled' });
  t.like(await prepareApplication(version('a', 2), context, { dependents: new Dependents(), suffixes: [] }), {
    ready: false,
    failed: false,
  });
  t.false(of('a').spec.cancelled);
});

test('a build for other source ends those of earlier changes that are under way, and leaves those alone that have ended', async (t) => {
  const { context, of, setStatus } = builds();
  await prepareApplication(version('a', 1), context, { dependents: new Dependents(), suffixes: [] });
  setStatus('a', { phase: 'Succeeded', image: digestOf('1') });
  await prepareApplication(version('b', 2), context, { dependents: new Dependents(), suffixes: [] });
  setStatus('b', { phase: 'Running' });
  await prepareApplication(version('c', 3), context, { dependents: new Dependents(), suffixes: [] });
  t.deepEqual(
    ['a', 'b', 'c'].map((letter) => of(letter).spec.cancelled ?? false),
    [false, true, false],
  );
});

test('builds that the application does not own go on, whatever application they name', async (t) => {
  const { context, of } = builds();
  const controlledBy = (uid: string) => [
    { apiVersion: 'apps.tappaas.dev/v1alpha1', kind: 'Application', name: 'shop', uid, controller: true },
  ];
  for (const [letter, ownerReferences] of [
    ['a', undefined],
    ['b', controlledBy('another')],
    ['c', controlledBy('u1').map((owner) => ({ ...owner, controller: false }))],
  ] as const) {
    const spec = { application: 'shop', builder: 'source', source: { digest: digestOf(letter) } };
    const metadata = { name: `shop-${letter.repeat(12)}`, namespace: 'team-a', ...(ownerReferences && { ownerReferences }) };
    await context.asPlugin.create(Build, { metadata, spec });
  }
  await prepareApplication(version('d', 1), context, { dependents: new Dependents(), suffixes: [] });
  await abandonBuild(version('a', 1), context);
  t.deepEqual(
    ['a', 'b', 'c', 'd'].map((letter) => of(letter).spec.cancelled ?? false),
    [false, false, false, false],
  );
});

test('a build that a person has cancelled stays so, and the application says how it goes on', async (t) => {
  const { context, of, setStatus } = builds();
  await prepareApplication(version('a', 1), context, { dependents: new Dependents(), suffixes: [] });
  await context.asPlugin.patch({} as never, { namespace: 'team-a', name: of('a').metadata.name }, { spec: { cancelled: true } });
  setStatus('a', {
    phase: 'Cancelled',
    conditions: [
      {
        type: 'Ready',
        status: 'False',
        reason: 'Cancelled',
        message: 'set spec.cancelled to false',
        lastTransitionTime: '',
        observedGeneration: 1,
      },
    ],
  });
  const prepared = await prepareApplication(version('a', 2), context, { dependents: new Dependents(), suffixes: [] });
  t.like(prepared, { ready: false, failed: true });
  t.regex(prepared.ready ? '' : (prepared.conditions[0]?.message ?? ''), /set spec\.cancelled to false/);
  t.true(of('a').spec.cancelled);
});

test('an application without uploaded source has no build to end', async (t) => {
  const { context } = builds();
  await t.notThrowsAsync(abandonBuild(shop({ source: { image: 'process' } }), context));
});

test('a build of source that says nowhere how it is started does not end its step, so that the operation fails there with the reason', async (t) => {
  const { context, setStatus, steps } = builds();
  const { spec } = version('a', 1);
  const [process] = spec.processes;
  const idle = {
    ...version('a', 1),
    spec: { ...spec, processes: [{ ...process, name: 'web', replicas: 1, command: undefined }] },
  } as never;
  const parts = { dependents: new Dependents(), suffixes: [] };
  await prepareApplication(idle, context, parts);
  setStatus('a', { phase: 'Succeeded', image: digestOf('1') });
  const prepared = await prepareApplication(idle, context, parts);
  t.like(prepared, { ready: false, failed: true, conditions: [{ type: 'Ready', reason: 'CommandMissing' }] });
  t.deepEqual(steps.at(-1), ['build', 50]);
  setStatus('a', { phase: 'Succeeded', image: digestOf('1'), startedBy: 'Procfile' });
  t.like(await prepareApplication(idle, context, parts), { ready: true });
  t.deepEqual(steps.at(-1), ['build', 100]);
});

test('a build tells when it begins, and once that it has made an image, as long as the status waited for it', async (t) => {
  const { context, setStatus, events } = builds();
  const parts = { dependents: new Dependents(), suffixes: [] };
  const waited = await prepareApplication(version('a', 1), context, parts);
  t.like(waited, { ready: false, conditions: { 2: { type: 'Progressing', status: 'True', reason: 'Building' } } });
  await prepareApplication(version('a', 1), context, parts);
  setStatus('a', { phase: 'Succeeded', image: digestOf('1'), startedBy: 'Procfile', durationMs: 1_200 });
  const conditions = waited.ready ? [] : waited.conditions;
  await prepareApplication({ ...version('a', 1), status: { conditions } } as never, context, parts);
  await prepareApplication(
    { ...version('a', 1), status: { conditions: [{ type: 'Built', reason: 'ImageSettled' }] } } as never,
    context,
    parts,
  );
  t.deepEqual(events, [
    'Normal BuildStarted: build shop-aaaaaaaaaaaa of the uploaded source begins',
    'Normal BuildSucceeded: build shop-aaaaaaaaaaaa made an image in 1.2 s',
  ]);
  events.length = 0;
  setStatus('a', { phase: 'Succeeded', image: digestOf('1'), startedBy: 'Procfile', durationMs: 40 });
  await prepareApplication({ ...version('a', 1), status: { conditions } } as never, context, parts);
  t.deepEqual(events, ['Normal BuildSucceeded: build shop-aaaaaaaaaaaa made an image in 40 ms'], 'as long as the command line says');
});

import test from 'ava';
import { createAdmission } from '../../dist/admission/admission.js';
import { redacted, restored } from '../../dist/resources/redaction.js';
import { fakeDispatch, type FakeTap } from '../admission/fake-dispatch.ts';
import { objectOf, options, startEngine, widget, widgets, type Fixture } from './engine-fixture.ts';

const count = 100;

/** Deletes that are asked about, by name and whether it is a dry run. */
interface Asked {
  readonly dryRun: boolean;
  readonly object: { readonly metadata: { readonly name: string } };
}

/** An engine with a hundred widgets, and a plugin that is asked before one is deleted. */
async function startWithWidgets(tap: Omit<FakeTap, 'run' | 'plugin'> & { readonly run: (requested: Asked) => unknown }): Promise<Fixture> {
  const admission = createAdmission({
    dispatch: fakeDispatch({ 'admission.validate': [{ plugin: 'keeper', kind: 'Widget', operations: ['delete'], ...tap }] }),
    confidentiality: { isVisibleTo: () => false, redacted, restored },
    isProjectOnly: () => false,
  });
  const fixture = await startEngine({ admission });
  for (let index = 0; index < count; index += 1) await fixture.create(widgets, widget(`w${String(index).padStart(3, '0')}`));
  return fixture;
}

const deleteAll = ({ engine }: Fixture, more: Parameters<typeof options>[0] = {}) =>
  engine.write({ verb: 'deletecollection', target: { kind: widgets, namespace: 'default' }, options: {} }, options(more));

const denial = { field: '', reason: 'Kept', message: 'it is kept' };
const deniedName = (name: string, isDenied: (dryRun: boolean) => boolean) => (requested: Asked) =>
  requested.object.metadata.name === name && isDenied(requested.dryRun) ? denial : undefined;

test('a collection of which one object may not be deleted is left whole', async (t) => {
  const fixture = await startWithWidgets({ run: deniedName('w099', () => true) });
  await t.throwsAsync(deleteAll(fixture), {
    code: 'TAP_OBJECT_DENIED',
    message: /w099.*it is kept.*; 0 of the 100 selected objects were deleted/,
  });
  t.is((await fixture.names(widgets)).length, count);
});

test('a collection that is refused half-way is not deleted any further once that is told, and the answer tells how many objects are gone', async (t) => {
  for (const tap of [
    { run: deniedName('w050', (dryRun) => !dryRun) },
    // A plugin that cannot be asked beforehand without effects.
    { run: deniedName('w050', () => true), sideEffects: 'some' },
  ]) {
    const fixture = await startWithWidgets(tap);
    const error = await t.throwsAsync(deleteAll(fixture), { code: 'TAP_OBJECT_DENIED' });
    const left = (await fixture.names(widgets)).length;
    t.true(left > 0 && left < count, `${left} left`);
    t.regex(error?.message ?? '', new RegExp(`; ${count - left} of the ${count} selected objects were deleted`));
    await new Promise((resolve) => setTimeout(resolve, 50));
    t.is((await fixture.names(widgets)).length, left, 'nothing is deleted after the answer');
  }
});

test('plugins are asked about a collection before and when it is deleted, and once on a dry run, which deletes nothing', async (t) => {
  const requested: boolean[] = [];
  const fixture = await startWithWidgets({ run: ({ dryRun }) => void requested.push(dryRun) });
  t.is(objectOf(await deleteAll(fixture, { dryRun: true })).items.length, count);
  t.deepEqual(new Set(requested.splice(0)), new Set([true]));
  t.is((await fixture.names(widgets)).length, count);
  t.is(objectOf(await deleteAll(fixture)).items.length, count);
  t.deepEqual(requested, [...Array<boolean>(count).fill(true), ...Array<boolean>(count).fill(false)]);
  t.is((await fixture.names(widgets)).length, 0);
});

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { array, assert, boolean, constantFrom, jsonValue, property } from 'fast-check';
import test from 'ava';
import { textOf } from '../../dist/resources/object-text.js';
import { fromStore, StoredObject, toStore, type Body, type Side } from '../../dist/resources/stored-object.js';

const nothing: Side = { claims: [], attribution: [] };
const claimed: Side = { claims: [{ unique: 'host "a"}}' }], attribution: [] };
const at = { modRevision: 7 };
const body = (spec: unknown, metadata: object = {}): Body => ({
  kind: 'Thing',
  spec,
  apiVersion: 'things.example/v1',
  metadata: { name: 'a', uid: 'u', creationTimestamp: 'now', ...metadata },
});
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const read = (bytes: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(bytes));

test('an object comes back from the store as it was written, whatever it says', (t) => {
  const json = jsonValue({ noUnicodeString: false });
  const side = constantFrom(nothing, claimed);
  assert(
    property(json, json, side, (spec, label, beside) => {
      const object = body(spec, { labels: { label }, resourceVersion: 'stale' });
      const stored = fromStore(toStore(textOf(object), beside), at, 1);
      const expected = { ...object, metadata: { ...object.metadata, resourceVersion: stored.resourceVersion } };
      t.deepEqual(plain(stored.object), plain(expected));
      t.deepEqual(read(stored.bytes), plain(expected));
      t.deepEqual(stored.side, beside);
    }),
  );
});

test('the object that was written and the one that was read are the same, and have the same bytes', (t) => {
  const object = body({ replicas: 3 });
  const written = new StoredObject({ object, text: textOf(object) }, 7, 1);
  const readAgain = fromStore(toStore(textOf(object), nothing), at, 1);
  t.deepEqual(written.object, readAgain.object);
  t.deepEqual(written.bytes, readAgain.bytes);
  t.true(Object.isFrozen(readAgain.object) && Object.isFrozen(readAgain.object['spec']));
  t.is(readAgain.object, readAgain.object, 'one object for all who read it');
});

test('an object is read without its managed fields, whatever they say, and whether the whole of it was read before or not', (t) => {
  assert(
    property(array(jsonValue()), jsonValue(), boolean(), (managedFields, spec, isReadFirst) => {
      const object = body(spec, { managedFields, labels: { a: '"managedFields":[' } });
      const stored = fromStore(toStore(textOf(object), nothing), at, 1);
      if (isReadFirst) t.deepEqual(plain(stored.object.metadata.managedFields), plain(managedFields));
      const { managedFields: _, ...metadata } = plain(stored.lean.metadata) as Body['metadata'];
      t.deepEqual(
        metadata,
        plain({ ...body(spec).metadata, labels: { a: '"managedFields":[' }, resourceVersion: stored.resourceVersion }) as Body['metadata'],
      );
      t.false('managedFields' in stored.lean.metadata);
      t.deepEqual(plain(stored.lean['spec']), plain(spec));
      t.true(Object.isFrozen(stored.lean.metadata));
    }),
  );
});

test('records of another order of fields are read, and those whose specification looks like metadata', (t) => {
  const object = body({ template: '{"apiVersion":"x","kind":"y","metadata":{' });
  const record = new TextEncoder().encode(JSON.stringify({ object, claims: claimed.claims }));
  const stored = fromStore(record, at, 1);
  t.deepEqual(stored.side, claimed);
  t.deepEqual(read(stored.bytes), plain(stored.object));
  t.deepEqual(stored.object['spec'], object['spec']);
});

test('what is told of a deletion is the last state under the revision of the deletion', (t) => {
  const stored = fromStore(toStore(textOf(body({ a: 1 })), nothing), at, 1);
  const gone = stored.at(9, 1);
  t.is(gone.revision, 9);
  t.deepEqual(gone.object['spec'], { a: 1 });
  t.is((read(gone.bytes) as Body).metadata.resourceVersion, gone.resourceVersion);
});

test('a cached object retains neither its parsed form nor its bytes', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const stored = fromStore(toStore(textOf(body({ a: 1 })), nothing), at, 1);
  const seen = [new WeakRef(stored.object), new WeakRef(stored.bytes)];
  await new Promise((later) => setImmediate(later));
  collect();
  t.deepEqual(
    seen.map((each) => each.deref()),
    [undefined, undefined],
  );
  t.deepEqual(stored.object['spec'], { a: 1 });
});

import test from 'ava';
import * as fc from 'fast-check';
import { generatedName } from '../../../dist/resources/schema/generated-name.js';
import { annotationsBytesMax, metadataCauses, metadataUpdateCauses } from '../../../dist/resources/schema/metadata-rules.js';
import { isDns1035Label, isDns1123Label, isDns1123Subdomain, isLabelValue, isQualifiedName } from '../../../dist/resources/schema/names.js';

const namespaced = { scope: 'Namespaced', names: 'subdomain' } as const;
const fields = (metadata: object, rules: Parameters<typeof metadataCauses>[1] = namespaced) =>
  metadataCauses({ name: 'a', namespace: 'b', ...metadata }, rules).map((cause) => `${cause.reason} ${cause.field}`);

test('names take the form of their kind', (t) => {
  const long = (count: number) => 'a'.repeat(count);
  const rows = [
    { check: isDns1123Label, good: ['a', '0', 'a-b', long(63)], bad: ['', '-a', 'a-', 'A', 'a.b', 'a_b', long(64), 'ä', 'a\n'] },
    { check: isDns1123Subdomain, good: ['a.b', 'a-1.b', long(253)], bad: ['', '.', 'a..b', 'a.', '.a', 'a.-b', 'A.b', long(254)] },
    { check: isDns1035Label, good: ['a', 'a1-b'], bad: ['1a', '-', 'a-', long(64)] },
    { check: isLabelValue, good: ['', 'A', 'a_b.c-d', '1', long(63)], bad: ['-a', 'a-', 'a b', 'a/b', long(64)] },
    {
      check: isQualifiedName,
      good: ['a', 'A_b', 'example.com/a', 'a.b/C.d'],
      bad: ['', '/a', 'a/', 'a/b/c', 'Example.com/a', '-a', `x/${long(64)}`, ' '],
    },
  ];
  for (const { check, good, bad } of rows) {
    for (const name of good) t.deepEqual(check(name), [], `${check.name} ${name}`);
    for (const name of bad) t.true(check(name).length > 0, `${check.name} ${JSON.stringify(name)}`);
  }
});

test('hostile names are judged in linear time', (t) => {
  const start = process.threadCpuUsage();
  for (const name of ['a'.repeat(200_000), `${'a-'.repeat(100_000)}!`, 'a.'.repeat(126) + '!', '-'.repeat(250)])
    t.true(isDns1123Subdomain(name).length > 0);
  const used = process.threadCpuUsage(start);
  t.true(used.user + used.system < 500_000, `${used.user + used.system} µs`);
});

test('metadata is checked as Kubernetes checks it', (t) => {
  t.deepEqual(fields({}), []);
  t.deepEqual(fields({ name: 'A' }), ['FieldValueInvalid metadata.name']);
  t.deepEqual(fields({ name: undefined }), ['FieldValueRequired metadata.name']);
  t.deepEqual(fields({ name: '', generateName: 'Bad-' }), ['FieldValueInvalid metadata.generateName']);
  t.deepEqual(fields({ namespace: '' }), ['FieldValueRequired metadata.namespace']);
  t.deepEqual(fields({ namespace: 'a.b' }), ['FieldValueInvalid metadata.namespace']);
  t.deepEqual(fields({}, { ...namespaced, scope: 'Cluster' }), ['FieldValueForbidden metadata.namespace']);
  t.deepEqual(fields({ labels: { 'a/b/c': 'x', ok: 'not ok' } }), [
    'FieldValueInvalid metadata.labels',
    'FieldValueInvalid metadata.labels',
  ]);
  t.deepEqual(fields({ annotations: { 'Upper.Example/Key': 'anything at all', '': '' } }), ['FieldValueInvalid metadata.annotations']);
  t.deepEqual(fields({ finalizers: ['orphan', 'foregroundDeletion', 'bad name'] }), [
    'FieldValueInvalid metadata.finalizers[2]',
    'FieldValueInvalid metadata.finalizers',
  ]);
  const owner = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'u', controller: true };
  t.deepEqual(fields({ ownerReferences: [owner, { ...owner, uid: '' }] }), [
    'FieldValueInvalid metadata.ownerReferences[1].uid',
    'FieldValueInvalid metadata.ownerReferences',
  ]);
});

test('names of kinds that are paths may be nearly anything', (t) => {
  const role = { scope: 'Cluster', names: 'path-segment' } as const;
  t.deepEqual(fields({ name: 'system:node', namespace: undefined }, role), []);
  for (const name of ['.', '..', 'a/b', 'a%b', 'a\\b', '\0', 'a\u0085', '\ud800', '\u{10ffff}', 'a'.repeat(254)])
    t.deepEqual(fields({ name, namespace: undefined }, role), ['FieldValueInvalid metadata.name']);
});

test('annotations reach their limit in bytes', (t) => {
  t.deepEqual(fields({ annotations: { a: 'x'.repeat(annotationsBytesMax - 1) } }), []);
  t.deepEqual(fields({ annotations: { a: 'ä'.repeat(annotationsBytesMax / 2) } }), ['FieldValueTooLong metadata.annotations']);
});

test('a generated name is valid, at most 63 characters, and says nothing', (t) => {
  fc.assert(
    fc.property(
      fc.stringMatching(/^[a-z]([a-z0-9-]{0,80}[a-z0-9-])?$/),
      fc.array(fc.double({ min: 0, max: 0.999, noNaN: true }), { minLength: 5, maxLength: 5 }),
      (base, random) => {
        const numbers = random.values();
        const name = generatedName(base, () => numbers.next().value ?? 0);
        t.deepEqual(isDns1123Label(name), []);
        t.regex(name.slice(-5), /^[bcdfghjklmnpqrstvwxz2456789]{5}$/);
      },
    ),
  );
  t.is(
    generatedName('job-', () => 0),
    'job-bbbbb',
  );
});

test('an update may leave out what the platform set, and not change it', (t) => {
  const previous = { name: 'a', namespace: 'b', uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z' };
  t.deepEqual(metadataUpdateCauses(previous, { name: 'a' }), []);
  t.deepEqual(
    metadataUpdateCauses(previous, { name: 'a', uid: 'v', deletionTimestamp: '2026-01-01T00:00:00Z' }).map((cause) => cause.field),
    ['metadata.uid', 'metadata.deletionTimestamp'],
  );
});

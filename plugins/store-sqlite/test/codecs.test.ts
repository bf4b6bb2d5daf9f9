import type { ClaimChange, Guard } from '@tappaas/sdk';
import test from 'ava';
import * as fc from 'fast-check';
import { decodeOperations, encodeOperations } from '../dist/operation-codec.js';
import { decodeResults, encodeResults } from '../dist/result-codec.js';

const text = fc.string({ minLength: 1 });
const revision = fc.maxSafeNat();
const guard: fc.Arbitrary<Guard> = fc.oneof(
  fc.record({ key: text, modRevision: revision }),
  fc.record({ key: text, createRevision: revision }),
  fc.record({ lease: text }),
);
const claim: fc.Arbitrary<ClaimChange> = fc.oneof(
  fc.record({ counter: text, amount: fc.maxSafeInteger(), max: fc.oneof(revision, fc.constant(Infinity)) }),
  fc.record({ unique: text, holder: text }),
  fc.record({ release: text, holder: text }),
);
const change = fc.record({ key: text, length: fc.integer({ min: -1 }), lease: fc.option(text, { nil: undefined }) });
const operation = fc.oneof(
  fc.record({ kind: fc.constant('transact' as const), guards: fc.array(guard), claims: fc.array(claim), changes: fc.array(change) }),
  fc.record({ kind: fc.constant('grant' as const), ttlMs: fc.nat() }),
  fc.record({ kind: fc.constant('revoke' as const), lease: text }),
  fc.record({ kind: fc.constant('compact' as const), revision }),
);

test('operations arrive at the writer as they were sent', (t) => {
  fc.assert(
    fc.property(fc.array(operation), (operations) => {
      t.deepEqual(decodeOperations(structuredClone(encodeOperations(operations))), operations);
    }),
  );
});

test('results arrive as the writer sent them, with what stood before where it was asked for', (t) => {
  const previous = fc.option(
    fc.record({ key: text, value: fc.uint8Array(), createRevision: revision, modRevision: revision, version: revision }),
    { nil: undefined },
  );
  const stamp = fc
    .record({ createRevision: revision, version: revision, previous })
    .map(({ previous, ...stamp }) => (previous === undefined ? stamp : { ...stamp, previous }));
  const result = fc.oneof(
    fc.record({ kind: fc.constant('done' as const), revision, stamps: fc.array(stamp) }),
    fc.record({ kind: fc.constant('compacted' as const), revision }),
    fc.record({ kind: fc.constant('granted' as const), lease: fc.record({ id: text, ttlMs: fc.nat() }) }),
  );
  fc.assert(fc.property(fc.array(result), (results) => t.deepEqual(decodeResults(structuredClone(encodeResults(results))), results)));
});

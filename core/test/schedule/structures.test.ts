import test from 'ava';
import * as fc from 'fast-check';
import { Heap } from '../../dist/schedule/heap.js';
import { NameOrder } from '../../dist/schedule/name-order.js';
import { RecencyList } from '../../dist/schedule/recency-list.js';
import { Tournament } from '../../dist/schedule/tournament.js';

test('a reader of the recency list meets every slot changed since, once, the latest first', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(9), { maxLength: 60 }), fc.nat(60), (touches, readAt) => {
      const list = new RecencyList(4);
      list.grow(16);
      let seen = 0;
      touches.forEach((slot, i) => {
        if (i === readAt) seen = list.generation;
        list.touch(slot);
      });
      if (readAt >= touches.length) seen = list.generation;
      const into = new Int32Array(16);
      const expected = [...new Set(touches.slice(readAt).toReversed())];
      t.deepEqual([...into.subarray(0, list.since(seen, into))], expected);
    }),
  );
});

test('ranks follow the order of names while names come and go', (t) => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 40 }), (steps) => {
      const order = new NameOrder(32);
      const names = new Set<string>();
      for (const n of steps) {
        const name = `n${n}`;
        if (names.delete(name)) order.remove(name);
        else {
          names.add(name);
          order.add(name, n);
        }
      }
      const sorted = [...names].sort();
      t.deepEqual(
        order.slots.map((slot) => `n${slot}`),
        sorted,
      );
      sorted.forEach((name, rank) => t.is(order.ranks[Number(name.slice(1))], rank));
    }),
  );
});

test('the tournament finds the best slot and the next best after every change', (t) => {
  const change = fc.record({ slot: fc.nat(15), score: fc.integer({ min: -1, max: 4 }) });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 60 }), fc.boolean(), (changes, rebuilt) => {
      const scores = new Int32Array(16).fill(-1);
      const ranks = Int32Array.from({ length: 16 }, (_, slot) => (slot * 7) % 16);
      const tournament = new Tournament(16);
      for (const { slot, score } of changes) {
        scores[slot] = score;
        if (rebuilt) tournament.rebuild(scores, ranks);
        else tournament.update(slot, scores, ranks);
        const order = [...scores.keys()]
          .filter((each) => (scores[each] ?? -1) >= 0)
          .sort((a, b) => (scores[b] ?? 0) - (scores[a] ?? 0) || (ranks[a] ?? 0) - (ranks[b] ?? 0));
        t.is(tournament.best, order[0] ?? -1);
        t.is(tournament.runnerUp(scores, ranks), order[1] ?? -1);
      }
    }),
  );
});

test('a heap gives the least item, also after items were taken out of the middle', (t) => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.nat(20), fc.constant('pop'), fc.constant('remove')), { maxLength: 80 }), (steps) => {
      const heap = new Heap<{ heapAt: number; value: number }>((a, b) => a.value < b.value);
      let model: { heapAt: number; value: number }[] = [];
      for (const step of steps) {
        if (typeof step === 'number') {
          const item = { heapAt: -1, value: step };
          heap.push(item);
          model.push(item);
        } else {
          const least = Math.min(...model.map(({ value }) => value));
          const taken = step === 'pop' ? heap.pop() : model[Math.floor(model.length / 2)];
          if (step === 'pop') t.is(taken?.value, model.length === 0 ? undefined : least);
          else if (taken) t.true(heap.remove(taken));
          model = model.filter((item) => item !== taken);
          if (taken) t.false(heap.has(taken));
        }
        t.is(heap.size, model.length);
      }
    }),
  );
});

import test from 'ava';
import * as fc from 'fast-check';
import { createFlow, defaultFlowLimits } from '../../dist/flow/seats.js';

const limits = { requestsMax: 5, requestsPerPrincipalMax: 3, streamsMax: 2, streamsPerPrincipalMax: 1 };
const ask = (name: string, stream = false, extra: object = {}) => ({ caller: { name, groups: [], ...extra }, stream });

test('a principal has so many seats and no more, until one is given back', (t) => {
  const flow = createFlow(limits);
  const seats = [1, 2, 3].map(() => flow(ask('joe')));
  const error = t.throws(() => flow(ask('joe')), { code: 'TAP_FLOW_FULL' });
  t.like(error, { retryAfterMs: 1000 });
  seats[0]?.release();
  seats[0]?.release();
  flow(ask('joe'));
  t.throws(() => flow(ask('joe')), { message: /user joe has 3 requests running/ });
});

test('all principals together have so many seats and no more', (t) => {
  const flow = createFlow(limits);
  for (const name of ['a', 'a', 'b', 'b', 'c']) flow(ask(name));
  t.throws(() => flow(ask('d')), { message: /5 requests are running/ });
});

test('streams are counted apart from requests', (t) => {
  const flow = createFlow(limits);
  flow(ask('joe', true));
  t.throws(() => flow(ask('joe', true)), { code: 'TAP_FLOW_FULL' });
  t.notThrows(() => flow(ask('joe')));
});

test('users of one tenant share its seats', (t) => {
  const flow = createFlow(limits);
  flow(ask('ann', true, { tenant: 'acme' }));
  t.throws(() => flow(ask('bob', true, { tenant: 'acme' })), { message: /tenant acme/ });
  t.notThrows(() => flow(ask('acme', true)));
});

test('processes of the platform always find room', (t) => {
  const flow = createFlow(limits);
  for (let index = 0; index < 100; index += 1) flow(ask('agent', true, { groups: ['system:engine:local'] }));
  t.notThrows(() => flow(ask('joe', true)));
});

test('whatever is asked and given back in whatever order, no bound is passed and no seat is lost', (t) => {
  const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean(), fc.nat(4)), { maxLength: 100 });
  fc.assert(
    fc.property(steps, (taken) => {
      const flow = createFlow(limits);
      const held: { readonly name: string; readonly seat: { release(): void } }[] = [];
      for (const [name, give, index] of taken) {
        if (give) held.splice(index, 1)[0]?.seat.release();
        else {
          const mine = held.filter((each) => each.name === name).length;
          const isFull = mine >= 3 || held.length >= 5;
          try {
            held.push({ name, seat: flow(ask(name)) });
            if (isFull) return false;
          } catch {
            if (!isFull) return false;
          }
        }
      }
      return true;
    }),
  );
  t.true(defaultFlowLimits.requestsMax >= defaultFlowLimits.requestsPerPrincipalMax);
});

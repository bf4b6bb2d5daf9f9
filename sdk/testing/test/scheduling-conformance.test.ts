import test from 'ava';
import { columns } from '@tappaas/sdk';
import { schedulingConformance, type SchedulingTap } from '../dist/conformance/scheduling.js';

const reads = { cpu: columns.free('cpu') };
const filter: SchedulingTap = {
  name: 'fit',
  reads,
  reasons: [{ message: 'insufficient cpu', retryOn: ['pod-deleted'] }],
  run: ({ pod, count, out, columns }) => {
    const requested = pod.requests('cpu');
    for (let i = 0; i < count; i++) out[i] = (columns['cpu']?.[i] ?? 0) < requested ? 1 : 0;
  },
};

/** Titles of the cases that the tap fails. */
async function failing(tap: SchedulingTap): Promise<readonly string[]> {
  const titles: string[] = [];
  for (const { title, run } of schedulingConformance(() => ({ taps: [tap] }))) {
    try {
      await run();
    } catch {
      titles.push(title);
    }
  }
  return titles;
}

const scoring = (run: SchedulingTap['run'], scale: SchedulingTap['scale'] = 'more-is-better'): SchedulingTap => ({
  name: 'score',
  reads,
  scale,
  run,
});
const each = (value: (i: number, cpu: number) => number) =>
  scoring(({ count, out, columns }) => {
    for (let i = 0; i < count; i++) out[i] = value(i, columns['cpu']?.[i] ?? 0);
  });

test('a plain filter and a plain score pass every case', async (t) => {
  t.deepEqual(await failing(filter), []);
  t.deepEqual(await failing(scoring(({ out }) => void out.fill(50), 'points')), []);
});

test('a plugin without taps passes nothing', async (t) => {
  for (const { run } of schedulingConformance(() => ({ taps: [] }))) await t.throwsAsync(run, { message: /neither a filter nor a score/ });
});

test('an answer beyond the reasons is found', async (t) => {
  t.deepEqual(await failing({ ...filter, run: ({ out }) => void out.fill(2) }), [
    'a filter accepts with 0 or refuses with the number of one of its reasons',
  ]);
});

test('a reason without a message, or for an event nobody knows, is found', async (t) => {
  const title = 'every reason of a filter has a message and says which changes are worth a retry';
  t.deepEqual(await failing({ ...filter, reasons: [{ message: ' ', retryOn: [] }] }), [title]);
  t.deepEqual(await failing({ ...filter, reasons: [{ message: 'no', retryOn: ['full-moon' as 'pod-deleted'] }] }), [title]);
});

test('points beyond 100 are found', async (t) => {
  t.deepEqual(await failing(scoring(({ out }) => void out.fill(101), 'points')), ['a score in points answers 0 to 100']);
});

test('an answer that is no number is found, although an Int32Array would hide it', async (t) => {
  t.deepEqual(await failing(each((_, cpu) => (cpu === 0 ? Number.NaN : 1))), ['every answer is a number that fits into 32 bits']);
  t.deepEqual(await failing(each((_, cpu) => cpu * 2 ** 31)), ['every answer is a number that fits into 32 bits']);
});

test('an answer that depends on the place in the list is found', async (t) => {
  t.deepEqual(await failing(each((i) => i)), [
    'the order of the candidates does not matter',
    'a candidate gets the same answer alone, among few and among many',
  ]);
});

test('an answer that depends on the other candidates is found', async (t) => {
  const relative = scoring(({ count, out, columns }) => {
    const most = Math.max(...(columns['cpu'] ?? []));
    for (let i = 0; i < count; i++) out[i] = Math.floor(((columns['cpu']?.[i] ?? 0) * 100) / most);
  });
  t.deepEqual(await failing(relative), ['a candidate gets the same answer alone, among few and among many']);
});

test('an answer that changes from call to call is found', async (t) => {
  let calls = 0;
  const titles = await failing(each(() => ++calls));
  t.true(titles.includes('the same candidates get the same answers'));
});

test('a tap that remembers the class asked before is found', async (t) => {
  let namespace = '';
  const remembering = scoring(({ pod, count, out }) => {
    for (let i = 0; i < count; i++) out[i] = namespace === 'other' ? 1 : 0;
    namespace = pod.namespace;
  });
  t.deepEqual(await failing(remembering), ['what was asked before does not matter']);
});

test('a tap that writes into its columns is found', async (t) => {
  t.deepEqual(await failing(scoring(({ columns }) => void columns['cpu']?.fill(7))), ['a tap does not write into its columns']);
});

test('a tap that answers with a promise is found', async (t) => {
  t.deepEqual(await failing(scoring(async () => undefined)), ['a tap answers at once and not with a promise']);
});

test('a tap that takes too long is found', async (t) => {
  const slow = scoring(({ count }) => {
    const untilMs = performance.now() + (count === 5000 ? 25 : 0);
    while (performance.now() < untilMs);
  });
  t.deepEqual(await failing(slow), ['a call with 5000 candidates takes less than 20 ms']);
});

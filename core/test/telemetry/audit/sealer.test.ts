import test from 'ava';
import { array, assert as check, asyncProperty, integer, option, record, string } from 'fast-check';
import { genesis, parseLine, type ChainEnd } from '../../../dist/telemetry/audit/chain.js';
import { EventBatch } from '../../../dist/telemetry/audit/event-batch.js';
import { rowText, type EventForm, type EventRow } from '../../../dist/telemetry/audit/event-text.js';
import { sealed, type SealedBlock } from '../../../dist/telemetry/audit/seal.js';
import { inPieces, linesOf } from '../../../dist/telemetry/audit/sealed-line.js';
import { Sealer } from '../../../dist/telemetry/audit/sealer.js';
import { verifyChain } from '../../../dist/telemetry/audit/verify.js';

const warnings: string[] = [];
const quiet = () => {};
const log = { debug: quiet, info: quiet, warn: (message: string) => void warnings.push(message), error: quiet };

const form = (name: string): EventForm => ({ head: '{"auditID":', middle: `,"name":${JSON.stringify(name)}`, tail: ',"tail":"ü"}' });
const shared = [form('one'), form('\u2028zwölf \u{1F600}'), form('x'.repeat(5_000))];
const row = (which: number, id: string, ms = 0): EventRow => ({
  form: shared[which] ?? form('other'),
  id,
  receivedAtMs: ms,
  atMs: ms + 1,
});

function batchOf(events: readonly (EventRow | string)[]): EventBatch {
  const batch = new EventBatch();
  for (const event of events) batch.add(event);
  return batch;
}

const textsOf = (block: SealedBlock, before: ChainEnd = genesis) => linesOf('r0', before, block).map(({ text }) => text);

test('events in pieces become the lines that they would be in one piece, whatever is in them', async (t) => {
  const event = record({
    which: integer({ min: 0, max: 3 }),
    id: string({ unit: 'grapheme' }),
    ms: integer({ min: 0, max: 4e12 }),
    whole: option(string()),
  });
  await check(
    asyncProperty(array(event, { minLength: 1, maxLength: 40 }), async (events) => {
      const rows = events.map(({ which, id, ms, whole }) => (whole === null ? row(which, id, ms) : `{"whole":${JSON.stringify(whole)}}`));
      const texts = textsOf(sealed('r0', genesis, batchOf(rows)));
      const wanted = rows.map((each) => (typeof each === 'string' ? each : rowText(each)));
      t.deepEqual(
        texts.map((text) => parseLine(text)?.event),
        wanted,
      );
      t.is((await verifyChain('r0', { lines: texts, checkpoints: [], keys: [] })).bad, undefined);
    }),
  );
});

test('an id that is too long for its place, or cannot stand in JSON as it is, is recorded whole', (t) => {
  const rows = ['x'.repeat(256), 'x'.repeat(257), '"quoted"', 'ü', 'r0-1'].map((id) => row(0, id));
  const batch = batchOf(rows);
  t.is(batch.texts.length, 3);
  t.deepEqual(
    textsOf(sealed('r0', genesis, batch)).map((text) => parseLine(text)?.event),
    rows.map(rowText),
  );
});

test('many events are sealed in a thread, and the chain goes on as if they had not been', async (t) => {
  const sealer = new Sealer('r0', log);
  t.teardown(() => sealer.close());
  const lines: string[] = [];
  let end = genesis;
  for (const count of [3, 1_500, 2, 700]) {
    const batch = batchOf(Array.from({ length: count }, (_, n) => row(n % 3, `r0-${n}`, n)));
    const answer = sealer.seal(end, batch);
    t.is(answer instanceof Promise, count > 100);
    const block = await answer;
    lines.push(...textsOf(block, end));
    end = { sequence: end.sequence + count, hash: block.hash };
  }
  const { bad, last } = await verifyChain('r0', { lines, checkpoints: [], keys: [] });
  t.is(bad, undefined);
  t.is(last, 2_205);
});

test('when the thread fails, what it was asked is not lost, and it is done without', async (t) => {
  const sealer = new Sealer('r0', log);
  const batch = batchOf(Array.from({ length: 500 }, (_, n) => row(0, `r0-${n}`)));
  const requested = sealer.seal(genesis, batch);
  await sealer.close();
  t.deepEqual(textsOf(await requested), textsOf(sealed('r0', genesis, batch)));
  t.false(sealer.seal(genesis, batch) instanceof Promise);
});

test('when no thread can be made, events are sealed without one, each batch once', async (t) => {
  let tries = 0;
  const sealer = new Sealer('r0', log, () => {
    tries += 1;
    throw new Error('ERR_WORKER_INIT_FAILED: EAGAIN');
  });
  warnings.length = 0;
  const batch = batchOf(Array.from({ length: 500 }, (_, n) => row(0, `r0-${n}`)));
  t.deepEqual(textsOf(await sealer.seal(genesis, batch)), textsOf(sealed('r0', genesis, batch)));
  t.false(sealer.seal(genesis, batch) instanceof Promise);
  t.is(tries, 1);
  t.is(warnings.length, 1);
  await sealer.close();
});

test('lines that lie beside each other are one piece for a sink, each with its end', (t) => {
  const block = sealed('r0', genesis, batchOf(['{"n":1}', '{"n":2}', '{"n":3}']));
  const lines = linesOf('r0', genesis, block);
  const other = linesOf('r0', genesis, sealed('r0', genesis, batchOf(['{"n":9}'])));
  const all = inPieces([...lines.slice(1), ...other]);
  t.is(all.pieces?.length, 2);
  t.is(Buffer.concat(all.pieces ?? []).toString(), all.map(({ text }) => `${text}\n`).join(''));
  t.is(inPieces([{ chain: 'r0', sequence: 1, text: 'x' }]).pieces, undefined);
});

test('a batch says when it is time to seal it, by its events and by their size', (t) => {
  t.false(batchOf(Array.from({ length: 999 }, () => '{}')).isFull);
  t.true(batchOf(Array.from({ length: 1_000 }, () => '{}')).isFull);
  t.true(batchOf(['x'.repeat(1024 * 1024)]).isFull);
  t.false(batchOf(['x'.repeat(1024 * 1024)]).isOverfull);
  t.true(batchOf(Array.from({ length: 10_000 }, () => '{}')).isOverfull);
});

import test from 'ava';
import type { CheckpointFacts } from '../../../dist/telemetry/audit/checkpoint.js';
import { Checkpointing, type CheckpointingParts } from '../../../dist/telemetry/audit/checkpointing.js';
import { genesis } from '../../../dist/telemetry/audit/chain.js';
import { VirtualClock } from '../../virtual-clock.ts';

const quiet = (): void => {};

function checkpointing(fail: () => boolean = () => false) {
  const written: number[] = [];
  const clock = new VirtualClock();
  let errors = 0;
  const checkpoints = {
    write: async ({ sequence }: CheckpointFacts) => {
      if (fail()) throw new Error('no space is left');
      written.push(sequence);
    },
    close: async () => {},
  } as unknown as CheckpointingParts['checkpoints'];
  const log = { debug: quiet, info: quiet, warn: quiet, error: () => void (errors += 1) };
  const signs = new Checkpointing({ chain: 'r0', checkpoints, everyEvents: 10, everyMs: 10_000, clock, log }, genesis, () => 0);
  const kept = (sequence: number): void => signs.storedTo({ sequence, hash: 'a'.repeat(64) });
  return { signs, kept, clock, written, errors: () => errors };
}

test('lines that come faster than ten checkpoints a second share one, and the last of them get theirs', async (t) => {
  const { signs, kept, clock, written } = checkpointing();
  for (let sequence = 10; sequence <= 100; sequence += 10) kept(sequence);
  await clock.advance(50);
  t.deepEqual(written, [10]);
  await clock.advance(60);
  t.deepEqual(written, [10, 100]);
  await clock.advance(1_000);
  kept(105);
  await clock.advance(1_000);
  t.deepEqual(written, [10, 100]);
  kept(110);
  await clock.advance(0);
  t.deepEqual(written, [10, 100, 110]);
  await signs.stop();
});

test('a checkpoint that was not written is tried again with the next lines, not again and again', async (t) => {
  let isFull = true;
  const { signs, kept, clock, written, errors } = checkpointing(() => isFull);
  kept(10);
  await clock.advance(5_000);
  t.is(errors(), 1);
  isFull = false;
  kept(20);
  await clock.advance(0);
  t.deepEqual(written, [20]);
  await signs.stop();
});

import test from 'ava';
import { createWorkQueue } from '../../dist/queue/work-queue.js';
import { VirtualClock, seededRandom } from '../virtual-clock.ts';

/** Three seeds together make 10^7 operations in the long run. */
const operations = process.env['TAPPAAS_LONG'] === '1' ? 3_400_000 : 40_000;
const keysMax = 50;

/** What a queue may and must do, kept in the plainest way. */
class Model {
  readonly ready = new Set<string>();
  readonly processing = new Set<string>();
  readonly dirty = new Set<string>();
  readonly dueMs = new Map<string, number>();

  add(key: string): void {
    this.dueMs.delete(key);
    if (this.processing.has(key)) this.dirty.add(key);
    else this.ready.add(key);
  }

  addAfter(key: string, dueMs: number): void {
    if (this.ready.has(key) || this.dirty.has(key)) return;
    this.dueMs.set(key, Math.min(dueMs, this.dueMs.get(key) ?? Infinity));
  }

  advance(nowMs: number): void {
    for (const [key, dueMs] of this.dueMs) if (dueMs <= nowMs) this.add(key);
  }

  done(key: string): void {
    this.processing.delete(key);
    if (this.dirty.delete(key)) this.ready.add(key);
  }
}

for (const seed of [1, 2, 3]) {
  test(`no key is lost, doubled or handed out twice at a time in ${operations} random operations (seed ${seed})`, async (t) => {
    const random = seededRandom(seed);
    const clock = new VirtualClock(0);
    const options = { clock, random, backoff: { baseMs: 4, maxMs: 64, jitter: 0.5 }, tenantOf: (key: string) => key.slice(0, 2) };
    const queue = createWorkQueue<string>(options);
    const model = new Model();
    const pick = (): string => `k${Math.floor(random() * keysMax)}`;
    for (let n = 0; n < operations; n += 1) {
      const draw = random();
      if (draw < 0.35) {
        const key = pick();
        if (!queue.add(key, random() < 0.3 ? 'low' : random() < 0.3 ? 'under-way' : 'normal')) t.fail('refused below its maximum');
        model.add(key);
      } else if (draw < 0.45) {
        const key = pick();
        const delayMs = 1 + Math.floor(random() * 100);
        queue.addAfter(key, delayMs);
        model.addAfter(key, clock.nowMs() + delayMs);
      } else if (draw < 0.7) {
        const key = queue.take();
        if (key === undefined) {
          if (model.ready.size > 0) t.fail('a ready key was not handed out');
        } else {
          if (!model.ready.delete(key)) t.fail(`${key} was handed out without being ready`);
          if (model.processing.has(key)) t.fail(`${key} was handed out twice at a time`);
          model.processing.add(key);
        }
      } else if (draw < 0.99) {
        const [key] = model.processing;
        if (key === undefined) continue;
        if (random() < 0.2) model.addAfter(key, clock.nowMs() + queue.retry(key));
        queue.done(key);
        model.done(key);
      } else if (random() < 0.1) {
        await clock.advance(20);
        model.advance(clock.nowMs());
      }
      if (queue.depth !== model.ready.size || queue.processing !== model.processing.size || queue.delayed !== model.dueMs.size) {
        t.fail(`after ${n} operations: depth ${queue.depth} for ${model.ready.size}, delayed ${queue.delayed} for ${model.dueMs.size}`);
        return;
      }
    }
    for (const key of model.processing) queue.done(key);
    await queue.close({ drain: false });
    t.is(queue.keys, 0);
  });
}

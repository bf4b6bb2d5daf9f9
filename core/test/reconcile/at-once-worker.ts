/** A thread in which a reconcile asks to run again at once, without end; tells how often it ran before a timer of 20 ms fired. */
import { setTimeout as delay } from 'node:timers/promises';
import { parentPort } from 'node:worker_threads';
import { createWorkQueue } from '../../dist/queue/work-queue.js';
import { createController } from '../../dist/reconcile/controller.js';

const clock = {
  nowMs: () => performance.now(),
  sleep: (ms: number, signal: AbortSignal) => delay(ms, undefined, { signal }),
};
let runs = 0;
const queue = createWorkQueue<string>({ clock, random: () => 0, backoff: { baseMs: 100, maxMs: 10_000, jitter: 0 } });
const controller = createController({
  name: 'hasty',
  queue,
  clock,
  reconcile: async () => {
    runs += 1;
    return { againAfterMs: 0 };
  },
});
void controller.run(new AbortController().signal);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has no origin
setTimeout(() => parentPort?.postMessage(runs), 20);
queue.add('a');

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import test from 'ava';
import { giveMemoryBackWhenQuiet } from '../../dist/platform/quiet-memory.js';
import { endProcess } from '../../../test/end-process.ts';

/** A process of which each second is said how much of it the main thread worked. */
function processWith() {
  let cpuMs = 0;
  let look = (): void => {};
  let everyMs = 0;
  const reported: boolean[] = [];
  giveMemoryBackWhenQuiet({
    cpuMs: () => cpuMs,
    saveMemory: (isWanted) => void reported.push(isWanted),
    every: (ms, call) => {
      everyMs = ms;
      look = call;
    },
  });
  return {
    reported,
    works: (percent: number, seconds: number): void => {
      for (let looks = 0; looks < (seconds * 1_000) / everyMs; looks += 1) {
        cpuMs += (everyMs * percent) / 100;
        look();
      }
    },
  };
}

test('memory is saved once it has been quiet for three seconds after work', (t) => {
  const { reported, works } = processWith();
  works(80, 10);
  works(2, 2);
  works(30, 1);
  works(2, 2);
  t.deepEqual(reported, [], 'a pause between two pieces of work is no end');
  works(2, 1);
  t.deepEqual(reported, [true]);
});

test('saving ends after twelve seconds, and begins again after the next work only', (t) => {
  const { reported, works } = processWith();
  works(80, 1);
  works(1, 3);
  works(20, 1);
  t.deepEqual(reported, [true], 'collecting is work, too');
  works(1, 11);
  t.deepEqual(reported, [true, false]);
  works(1, 30);
  t.deepEqual(reported, [true, false], 'what the platform does by itself leaves nothing to give back');
  works(80, 1);
  works(1, 3);
  t.deepEqual(reported, [true, false, true]);
});

test('work that comes ends saving within a second', (t) => {
  const { reported, works } = processWith();
  works(80, 1);
  works(1, 5);
  works(60, 1);
  t.deepEqual(reported, [true, false]);
});

test('a process that has worked gives most of the memory back that it needs no more', async (t) => {
  // In the first half minute of a process its heap does not look by itself whether there is something to give back; here it does.
  const options = ['--gc-memory-reducer-start-delay-ms=0', join(import.meta.dirname, 'growing-heap.ts')];
  const child = spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => endProcess(child));
  let text = '';
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  t.is(await new Promise((done) => child.once('exit', done)), 0);
  const { mostMib, leftMib } = JSON.parse(text) as { mostMib: number; leftMib: number };
  t.true(leftMib < mostMib / 2, text);
});

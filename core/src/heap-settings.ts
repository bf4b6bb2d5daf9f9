import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { giveMemoryBackWhenQuiet } from './platform/quiet-memory.js';

/** V8 starts this many threads for collections, regardless of the machine. */
const collectingThreads = 4;

/** An older runtime would print a warning about unknown flags. */
const isRecent = Number(process.versions.node.split('.')[0]) >= 26;

/** Limits how far the heap grows beyond live data, and how long it keeps freed memory (docs/decisions/0092, 0201). */
export function keepHeapSmall(): void {
  // Garbage may grow to half of the live data before it is collected; the default is three times as much.
  setFlagsFromString('--heap-growing-percent=50');
  // Delay before checking for memory to release; the default is 8 s.
  if (isRecent) setFlagsFromString('--memory-reducer-delay-ms=2000');
  giveMemoryBackWhenQuiet({
    cpuMs: () => {
      const { user, system } = process.threadCpuUsage();
      return (user + system) / 1_000;
    },
    saveMemory: (isWanted) => setFlagsFromString(isWanted ? '--memory-saver-mode' : '--no-memory-saver-mode'),
    every: (ms, call) => void setInterval(call, ms).unref(),
  });
}

/**
 * With fewer CPUs than collecting threads, marks the heap with a single thread: four would displace the thread that serves requests for
 * some 50 ms per full collection (docs/decisions/0288).
 */
export function collectWithOneThread(): void {
  if (!isRecent || availableParallelism() > collectingThreads) return;
  setFlagsFromString('--optimize-gc-for-battery');
}

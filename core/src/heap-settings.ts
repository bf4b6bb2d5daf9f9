import { availableParallelism } from 'node:os';
import { constants, PerformanceObserver, type PerformanceEntry } from 'node:perf_hooks';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { growthPercent } from './platform/heap-growth.js';
import { giveMemoryBackWhenQuiet } from './platform/quiet-memory.js';

/** V8 starts this many threads for collections, regardless of the machine. */
const collectingThreads = 4;

/** An older runtime would print a warning about unknown flags. */
const isRecent = Number(process.versions.node.split('.')[0]) >= 26;

/** Limits how far the heap grows beyond live data, and how long it keeps freed memory (docs/decisions/0092, 0201, 0320). */
export function keepHeapSmall(): void {
  limitGrowth(getHeapStatistics().used_heap_size);
  // V8 reads the limit at the end of a full collection, which is when the live data is known: it holds for the collection after the next.
  new PerformanceObserver((list) => {
    if (list.getEntries().some(isFullCollection)) limitGrowth(getHeapStatistics().used_heap_size);
  }).observe({ entryTypes: ['gc'] });
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

function limitGrowth(liveBytes: number): void {
  setFlagsFromString(`--heap-growing-percent=${growthPercent(liveBytes)}`);
}

/** Entries about collections say of which kind each was; Node's types leave that out. */
function isFullCollection(entry: PerformanceEntry & { readonly detail?: { readonly kind?: number } }): boolean {
  return entry.detail?.kind === constants.NODE_PERFORMANCE_GC_MAJOR;
}

/**
 * With fewer CPUs than collecting threads, marks the heap with a single thread: four would displace the thread that serves requests for
 * some 50 ms per full collection (docs/decisions/0288).
 */
export function collectWithOneThread(): void {
  if (!isRecent || availableParallelism() > collectingThreads) return;
  setFlagsFromString('--optimize-gc-for-battery');
}

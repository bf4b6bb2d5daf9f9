import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';
import { giveMemoryBackWhenQuiet } from './platform/quiet-memory.js';

/** V8 starts as many threads for collections as this, whatever the machine has. */
const collectingThreads = 4;

/** An older runtime would print that it does not have a flag of a newer V8. */
const isRecent = Number(process.versions.node.split('.')[0]) >= 26;

/** How much memory the heap may take for what is alive, and when it gives back what it took (docs/decisions/0092, 0201). */
export function keepHeapSmall(): void {
  // Before it is collected, garbage may be half of what is alive; by default it may be three times as much.
  setFlagsFromString('--heap-growing-percent=50');
  // How long it waits before it looks whether there is memory to give back, by default 8 s.
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
 * Where there are fewer processors than collecting threads, one thread marks the heap: four would displace the thread that serves requests for
 * some 50 ms at each full collection (docs/decisions/0288).
 */
export function collectWithOneThread(): void {
  if (!isRecent || availableParallelism() > collectingThreads) return;
  setFlagsFromString('--optimize-gc-for-battery');
}
